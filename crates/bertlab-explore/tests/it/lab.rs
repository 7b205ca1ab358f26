//! Golden: the lab's word vectors and the sentence vectors of all-MiniLM-L6-v2, as HuggingFace computes them.
//! Needs the model and the fixture in `../shared`.

use bertlab_checkpoint::{NamedArray, read_safetensors};
use bertlab_explore::{
    EmbedOptions, Embedding, Layers, Occurrences, Pieces, Pooling, WordOptions, WordVector, cosine, embed,
    summary, tensor_stats, word_vectors,
};
use bertlab_model::{Batch, Model, OpenOptions, Row, open};
use bertlab_text::{EncodeOptions, TextInput, Tokenizer, Truncation};
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Lab {
    model: Model,
    tokenizer: Tokenizer,
    golden: Value,
    arrays: Vec<NamedArray>,
}

/// None, with a word, where the files are not.
fn lab() -> Option<Lab> {
    let shared = std::env::var_os("BERTLAB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let (model, fixture) =
        (shared.join("models/all-MiniLM-L6-v2"), shared.join("fixtures/lab-all-MiniLM-L6-v2"));
    if !model.is_dir() || !fixture.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    let golden = std::fs::read_to_string(fixture.join("golden.json")).expect("the fixture is complete");
    Some(Lab {
        model: open(&model, &OpenOptions::default()).expect("the model is in order").0,
        tokenizer: Tokenizer::open(&model).expect("the tokenizer is in order"),
        golden: serde_json::from_str(&golden).expect("it is JSON"),
        arrays: read_safetensors(&fixture.join("golden.safetensors")).expect("the fixture is complete"),
    })
}

impl Lab {
    fn strings(&self, key: &str) -> Vec<String> {
        let list = self.golden[key].as_array().expect("a list of texts");
        list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    }

    fn array(&self, name: &str) -> Vec<f32> {
        let array = self.arrays.iter().find(|array| array.name == name).expect("the fixture is complete");
        array.to_f32().expect("they are numbers")
    }

    fn words(&self, queries: &[&str], options: &WordOptions) -> Vec<WordVector> {
        let queries: Vec<_> = queries.iter().map(|query| query.parse().expect("it is a query")).collect();
        word_vectors(&self.model, &self.tokenizer, &self.strings("sentences"), &queries, options)
            .expect("the words are there")
    }

    fn cosine(&self, pair: &str) -> f32 {
        self.golden["cosine"][pair].as_f64().expect("a cosine") as f32
    }

    /// All texts in one batch.
    fn embed(&self, texts: &[String], how: EmbedOptions) -> Vec<Embedding> {
        let options = EncodeOptions {
            truncation: Truncation::LongestFirst,
            max_length: Some(512),
            ..EncodeOptions::default()
        };
        let inputs: Vec<TextInput> = texts.iter().cloned().map(TextInput::from).collect();
        let encodings = self.tokenizer.encode_batch(&inputs, &options).expect("they are texts");
        let rows: Vec<Row<'_>> = encodings
            .iter()
            .map(|encoding| Row { input_ids: &encoding.input_ids, ..Row::default() })
            .collect();
        let batch = Batch::new(&self.model.spec.encoder, &rows).expect("they fit");
        embed(&self.model, &batch, &how).expect("the layers are there")
    }
}

fn assert_close(found: f32, expected: f32, what: &str) {
    assert!((found - expected).abs() < 1e-5, "{what}: {found}, not {expected}");
}

#[test]
fn the_model_is_described() {
    let Some(lab) = lab() else { return };
    let summary = summary(&lab.model);
    assert_eq!(lab.golden["tensors"].as_u64(), Some(summary.n_tensors as u64));
    assert_eq!(lab.golden["parameters"].as_u64(), Some(summary.n_parameters as u64));
    let stats = tensor_stats(&lab.model, "embeddings.word_embeddings.weight", 20).expect("it is there");
    assert_eq!(stats.shape, [30522, 384]);
    assert_eq!(stats.histogram.counts.iter().sum::<usize>(), stats.n);
    let query = lab.model.module_tree();
    let query = query.find("encoder.layer.0.attention.self.query").expect("it is there");
    assert_eq!(query.to_pytorch_text(), "Linear(in_features=384, out_features=384, bias=True)");
}

#[test]
fn the_labs_cosines_are_found() {
    let Some(lab) = lab() else { return };
    let words = lab.words(&["CPU@1,2", "Intel@2", "GPU@3,4", "NVIDIA@4"], &WordOptions::default());
    let names = ["cpu", "intel", "gpu", "nvidia"];
    for (a, b) in [(0, 1), (2, 3), (0, 3), (2, 1), (0, 2), (1, 3)] {
        let pair = format!("{}~{}", names[a], names[b]);
        let found = cosine(&words[a].vector, &words[b].vector).expect("words have a direction");
        assert_close(found, lab.cosine(&pair), &pair);
    }
    assert_eq!(words[3].tokens, [(4, ["n", "##vid", "##ia"].map(str::to_owned).to_vec())]);
    assert_eq!(words[0].recipe, "CPU@1,2: sum of pieces, mean of 2 occurrences, layer -1");
}

#[test]
fn scale_does_not_count_in_the_labs_recipes() {
    let Some(lab) = lab() else { return };
    let summed = WordOptions { occurrences: Occurrences::Sum, ..WordOptions::default() };
    let mean = WordOptions { pieces: Pieces::Mean, ..WordOptions::default() };
    for options in [summed, mean] {
        let words = lab.words(&["GPU@3,4", "NVIDIA@4"], &options);
        let found = cosine(&words[0].vector, &words[1].vector).expect("words have a direction");
        assert_close(found, lab.cosine("gpu~nvidia"), "gpu~nvidia");
    }
}

#[test]
fn the_last_four_layers_are_averaged() {
    let Some(lab) = lab() else { return };
    let layers: Layers = "-4..-1".parse().expect("they are layers");
    let deep = lab.words(&["CPU@1"], &WordOptions { layers, ..WordOptions::default() });
    let last = lab.words(&["CPU"], &WordOptions::default());
    let found = cosine(&deep[0].vector, &last[0].vector).expect("words have a direction");
    let pair = "cpu(last 4 layers, sentence 1)~cpu";
    assert_close(found, lab.cosine(pair), pair);
}

#[test]
fn sentence_vectors_are_those_of_sentence_transformers() {
    let Some(lab) = lab() else { return };
    let how = |pooling, normalize| EmbedOptions { pooling, normalize, ..EmbedOptions::default() };
    let cases = [
        ("embedding_texts", "mean_pooled", how(Pooling::Mean, false)),
        ("embedding_texts", "mean_pooled_normalized", how(Pooling::Mean, true)),
        ("embedding_texts", "cls_pooled", how(Pooling::Cls, false)),
        ("sentences", "pooler_output", how(Pooling::Pooler, false)),
    ];
    for (texts, name, how) in cases {
        let expected = lab.array(name);
        let texts = lab.strings(texts);
        let found = lab.embed(&texts, how);
        assert_eq!(expected.len(), found.len() * 384);
        for (row, (found, expected)) in found.iter().zip(expected.chunks(384)).enumerate() {
            let Embedding::Vector(found) = found else { panic!("{name} is a vector per text") };
            let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-5, "{name}, text {}: {largest}", row + 1);
        }
    }
}

#[test]
fn every_layers_token_vectors_are_found() {
    let Some(lab) = lab() else { return };
    let sentences = lab.strings("sentences");
    for layer in 0..=6 {
        let layers = Layers { first: layer, last: layer };
        let found =
            lab.embed(&sentences, EmbedOptions { pooling: Pooling::Tokens, layers, normalize: false });
        let expected = lab.array(&format!("hidden_states.{layer}"));
        for (row, (found, expected)) in found.iter().zip(expected.chunks(12 * 384)).enumerate() {
            let Embedding::Tokens(found) = found else { panic!("tokens were asked for") };
            // The rest of the row is padding there.
            let largest =
                found.as_slice().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 2e-5, "layer {layer}, sentence {}: {largest}", row + 1);
        }
    }
}
