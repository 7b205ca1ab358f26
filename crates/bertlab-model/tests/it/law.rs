//! Law: what holds to the last bit, whatever the numbers are.

use std::fs;
use std::path::Path;

use crate::goldens::{bits, copy, golden, name_of, own_goldens, weight_bits};
use crate::rows::{Rows, open, opened};
use bertlab_compute::Tensor;
use bertlab_model::{
    Batch, ComputeDtype, Gradients, HeadGradient, Model, OpenOptions, Output, Request, Row, Training,
    save_pretrained,
};
use bertlab_text::{EncodeOptions, Tokenizer};
use serde_json::{Value, json};

const EVERYTHING: Request<'static> = Request { hidden_states: true, attentions: true, tokens: None };

#[test]
fn a_row_gives_the_same_bits_alone_in_any_batch_and_in_any_order() {
    let dtypes = ComputeDtype::ALL.into_iter();
    for (folder, dtype) in
        dtypes.flat_map(|dtype| own_goldens("checkpoints").into_iter().map(move |folder| (folder, dtype)))
    {
        let options = OpenOptions { dtype, ..OpenOptions::default() };
        let model = open(&folder, options).unwrap_or_else(|error| panic!("{error}"));
        let rows = Rows::of_golden(&folder);
        let alone: Vec<_> = rows.rows().iter().map(|row| row_bits(&model, &[*row]).remove(0)).collect();
        let n_rows = alone.len();
        let orders = [
            (0..n_rows).collect::<Vec<usize>>(),
            (0..n_rows).rev().collect(),
            (0..37).map(|i| (i * i + 1) % n_rows).collect(), // Many rows: other blocks in the kernels.
        ];
        for order in orders {
            let batch: Vec<Row<'_>> = order.iter().map(|&row| rows.rows()[row]).collect();
            for (place, (found, &row)) in row_bits(&model, &batch).iter().zip(&order).enumerate() {
                let is_same = *found == alone[row];
                let n = order.len();
                assert!(is_same, "{} in {dtype:?}: row {row} at place {place} of {n}", name_of(&folder));
            }
        }
    }
}

/// Everything that the model gives for each row of a batch.
fn row_bits(model: &Model, rows: &[Row<'_>]) -> Vec<Vec<u32>> {
    let batch = Batch::new(&model.spec.encoder, rows).expect("the rows fit the model");
    let output = model.forward(&batch, EVERYTHING);
    let (starts, hidden) = (batch.row_starts(), &output.encoder);
    let of_row = |row: usize| {
        let tokens = starts[row]..starts[row + 1];
        let states = hidden.hidden_states.as_ref().expect("they were asked for");
        let maps = hidden.attentions.as_ref().expect("they were asked for");
        let mut all: Vec<u32> = maps.iter().flat_map(|layer| bits(&layer[row])).collect();
        for tensor in states.iter().chain([&hidden.last_hidden_state]).chain(head_tensors(&output)) {
            // By token, or by row.
            let places = if tensor.n_rows() == batch.n_tokens() { tokens.clone() } else { row..row + 1 };
            all.extend(places.flat_map(|place| tensor.row(place)).map(|x| x.to_bits()));
        }
        all
    };
    (0..rows.len()).map(of_row).collect()
}

fn head_tensors(output: &Output) -> impl Iterator<Item = &Tensor> {
    let head = &output.head;
    [&head.pooler_output, &head.logits, &head.relationship_logits].into_iter().flatten()
}

#[test]
fn one_thread_and_several_give_the_same_bits() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let config = json!({
        "model_type": "bert", "architectures": ["BertForSequenceClassification"], "hidden_size": 80,
        "num_hidden_layers": 2, "num_attention_heads": 5, "intermediate_size": 203, "vocab_size": 307,
        "max_position_embeddings": 64,
    });
    fs::write(scratch.path().join("config.json"), config.to_string()).expect("writable");
    let options = OpenOptions { allow_random: true, seed: 3, ..OpenOptions::default() };
    let model = open(scratch.path(), options).expect("a valid config");
    let rows = Rows::made_up(41, 64, 307);
    let batch = rows.batch(&model);
    let one = on_threads(1, || (row_bits(&model, &rows.rows()), gradient_bits(&model, &batch, KEPT)));
    for n_threads in [2, 3, 7] {
        let several =
            on_threads(n_threads, || (row_bits(&model, &rows.rows()), gradient_bits(&model, &batch, KEPT)));
        assert!(one == several, "{n_threads} threads");
    }
    let checkpointed = Training { gradient_checkpointing: true, ..KEPT };
    assert!(one.1 == gradient_bits(&model, &batch, checkpointed), "gradient checkpointing");
    let other_key = Training { dropout_key: Some(6), ..KEPT };
    assert!(one.1 != gradient_bits(&model, &batch, other_key), "dropout does not depend on its key");
}

/// With dropout: the config's default is 0.1.
const KEPT: Training<'static> =
    Training { dropout_key: Some(5), gradient_checkpointing: false, tokens: None, head_alone: false };

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads can be had");
    pool.install(work)
}

/// Every gradient of the sum of all logits.
fn gradient_bits(model: &Model, batch: &Batch, training: Training<'_>) -> Vec<Vec<u32>> {
    let (output, kept) = model.forward_keeping(batch, training);
    let logits = output.logits.expect("the head has logits");
    let ones = Tensor::from_vec(logits.shape(), vec![1.0; logits.len()]);
    let mut gradients = Gradients::new(model);
    gradients.begin(batch.input_ids().iter().copied());
    let d = HeadGradient { logits: Some(ones), ..HeadGradient::default() };
    model.backward(d, batch, kept, &mut gradients);
    gradients.into_params().named().into_iter().map(|(_, tensor)| bits(tensor)).collect()
}

#[test]
fn the_head_alone_gives_the_same_bits_as_the_whole_model_and_the_same_gradients() {
    let dtypes = ComputeDtype::ALL.into_iter();
    for (folder, dtype) in
        dtypes.flat_map(|dtype| own_goldens("checkpoints").into_iter().map(move |folder| (folder, dtype)))
    {
        let model = open(&folder, OpenOptions { dtype, ..OpenOptions::default() }).expect("a valid golden");
        let rows = Rows::of_golden(&folder);
        let batch = rows.batch(&model);
        let (whole, alone) =
            (model.forward(&batch, Request::default()).head, model.forward_head(&batch, None));
        for (whole, alone) in [(&whole.logits, &alone.logits), (&whole.pooler_output, &alone.pooler_output)] {
            assert!(
                whole.as_ref().map(bits) == alone.as_ref().map(bits),
                "{} in {dtype:?}",
                name_of(&folder)
            );
        }
        if dtype != ComputeDtype::F32 || whole.logits.is_none() {
            continue;
        }
        // Without dropout, whose masks count the rows that there are.
        let whole = Training { dropout_key: None, ..KEPT };
        let alone = Training { head_alone: true, ..whole };
        let gradients = |training| gradient_bits(&model, &batch, training).concat();
        for (a, b) in gradients(whole)
            .into_iter()
            .zip(gradients(alone))
            .map(|(a, b)| (f32::from_bits(a), f32::from_bits(b)))
        {
            assert!((a - b).abs() <= 1e-5 * (1.0 + a.abs()), "{}: {a} and {b}", name_of(&folder));
        }
        let checkpointed = Training { gradient_checkpointing: true, ..alone };
        assert!(gradients(alone) == gradients(checkpointed), "{}: gradient checkpointing", name_of(&folder));
    }
}

#[test]
fn open_save_open_is_exact() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for folder in own_goldens("checkpoints") {
        let name = name_of(&folder);
        let (first, second) = (scratch.path().join(&name), scratch.path().join(name.clone() + "-again"));
        let model = opened(&folder);
        save_pretrained(&first, &model, None).expect("writable");
        let (again, report) = bertlab_model::open(&first, &OpenOptions::default()).expect("it was saved");
        assert!(weight_bits(&model) == weight_bits(&again), "{name}");
        assert_eq!((report.unused.len(), report.new.len()), (0, 0), "{name}");
        check_config(&folder, &first);
        save_pretrained(&second, &again, None).expect("writable");
        for file in ["config.json", "model.safetensors"] {
            let bytes = |folder: &Path| fs::read(folder.join(file)).expect("it was saved");
            assert!(bytes(&first) == bytes(&second), "{name}: {file} of the second save");
        }
    }
}

/// Every key is kept; only what the weights are stored as, and what was left open, may be said anew.
fn check_config(before: &Path, after: &Path) {
    let config = |folder: &Path| crate::goldens::json(&folder.join("config.json"));
    let (before, after) = (config(before), config(after));
    for (key, value) in before.as_object().expect("a config is an object") {
        let may_change = ["dtype", "torch_dtype", "problem_type"].contains(&key.as_str()) || value.is_null();
        assert!(may_change || after[key] == *value, "{key}: {value} became {}", after[key]);
    }
    assert_eq!(after.get("dtype").or(after.get("torch_dtype")), Some(&json!("float32")));
}

#[test]
fn a_saved_tokenizer_is_the_one_that_was_opened() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let (folder, saved) = (scratch.path().join("model"), scratch.path().join("saved"));
    copy(&golden("checkpoints/bert-sequence-classification"), &folder);
    let words = "[PAD] [UNK] [CLS] [SEP] [MASK] the bank of river ##s , ! caf ##e a";
    let vocabulary = words.replace(' ', "\n");
    let settings = json!({"tokenizer_class": "BertTokenizer", "do_lower_case": true, "model_max_length": 20});
    fs::write(folder.join("vocab.txt"), &vocabulary).expect("writable");
    fs::write(folder.join("tokenizer_config.json"), settings.to_string()).expect("writable");
    let model = opened(&folder);
    let tokenizer = Tokenizer::open(&folder).expect("a vocabulary is a tokenizer");
    save_pretrained(&saved, &model, Some(&tokenizer)).expect("writable");
    assert_eq!(fs::read_to_string(saved.join("vocab.txt")).expect("it was saved"), vocabulary);
    for (key, value) in settings.as_object().expect("an object") {
        let kept: Value = crate::goldens::json(&saved.join("tokenizer_config.json"));
        assert_eq!(kept[key], *value, "{key}");
    }
    let again = Tokenizer::open(&saved).expect("it was saved");
    for text in ["The banks of the river, a Café!", "unknown [MASK] 東京", ""] {
        let encode = |tokenizer: &Tokenizer| {
            tokenizer.encode(&text.into(), &EncodeOptions::default()).expect("a text")
        };
        let (before, after) = (encode(&tokenizer), encode(&again));
        assert_eq!(before.input_ids, after.input_ids, "{text:?}");
        assert_eq!(before.offsets, after.offsets, "{text:?}");
    }
}

/// RoBERTa's positions, as `create_position_ids_from_input_ids` of transformers makes them.
#[test]
fn a_pad_token_inside_a_text_takes_the_paddings_position_and_is_not_counted() {
    let model = opened(&golden("checkpoints/roberta-sequence-classification"));
    let (input_ids, wanted) = ([0, 7, 9, 1, 8, 1, 1, 5, 2], [2, 3, 4, 1, 5, 1, 1, 6, 7]);
    let counted = Row { input_ids: &input_ids, ..Row::default() };
    let batch = Batch::new(&model.spec.encoder, &[counted]).expect("the row fits the model");
    assert_eq!(batch.position_ids(), wanted);
    let given = Row { position_ids: &wanted, ..counted };
    assert_eq!(row_bits(&model, &[counted]), row_bits(&model, &[given]));
    let in_order = Row { position_ids: &[2, 3, 4, 5, 6, 7, 8, 9, 10], ..counted };
    assert_ne!(row_bits(&model, &[counted]), row_bits(&model, &[in_order]));

    // As every embedding with a `padding_idx`, the padding's position gets no gradient.
    let (output, kept) = model.forward_keeping(&batch, Training::default());
    let logits = output.logits.expect("the head has logits");
    let ones = Tensor::from_vec(logits.shape(), vec![1.0; logits.len()]);
    let mut gradients = Gradients::new(&model);
    gradients.begin(input_ids);
    model.backward(
        HeadGradient { logits: Some(ones), ..HeadGradient::default() },
        &batch,
        kept,
        &mut gradients,
    );
    let table = gradients.into_params().embeddings.position.expect("RoBERTa has a table of positions");
    let has_gradient = |position: usize| table.row(position).iter().any(|&x| x != 0.0);
    let positions: Vec<usize> = (0..table.n_rows()).filter(|&position| has_gradient(position)).collect();
    assert_eq!(positions, [2, 3, 4, 5, 6, 7]);

    // BERT has no such position: a pad token is a token as any other.
    let model = opened(&golden("checkpoints/bert-masked-lm"));
    let row = Row { input_ids: &[2, 0, 5, 0, 3], ..Row::default() };
    let batch = Batch::new(&model.spec.encoder, &[row]).expect("the row fits the model");
    assert_eq!(batch.position_ids(), [0, 1, 2, 3, 4]);
}
