//! Arrays of ids, types, masks and labels for `forward`, built from the input's bytes.

use crate::Answer;
use crate::folder::{in_repository, with_files};
use bertlab::forward::run;
use bertlab::{Model, NamedArray, write_safetensors};
use bertlab_model::{OpenOptions, open};
use std::sync::OnceLock;

const MODELS: [&str; 5] = [
    "bert-regression",
    "bert-token-classification",
    "bert-pretraining",
    "distilbert-question-answering",
    "roberta-sequence-classification",
];
/// Optional arrays; the first three have the shape of the ids, the others one number per row.
const NAMES: [&str; 7] = [
    "attention_mask",
    "token_type_ids",
    "labels",
    "labels",
    "start_positions",
    "end_positions",
    "next_sentence_label",
];

/// Reads a recipe: model, rows, columns, which arrays, whether gradients are wanted; then the numbers.
pub(super) fn ids_and_masks(input: &[u8]) -> Answer {
    let mut recipe = Recipe { bytes: input };
    let model = model(recipe.byte());
    let (n_rows, n_columns) = (usize::from(recipe.byte() % 4), usize::from(recipe.byte() % 12));
    let (arrays_wanted, gradients) = (recipe.byte(), recipe.byte().is_multiple_of(4));
    let mut arrays =
        vec![NamedArray::from_i64("input_ids", [n_rows, n_columns], recipe.numbers(n_rows * n_columns))];
    for (bit, name) in NAMES.iter().enumerate() {
        if arrays_wanted >> bit & 1 == 0 || arrays.iter().any(|array| array.name == *name) {
            continue;
        }
        let shape = if bit < 3 { vec![n_rows, n_columns] } else { vec![n_rows] };
        let numbers = recipe.numbers(shape.iter().product());
        arrays.push(NamedArray::from_i64(*name, shape, numbers));
    }
    with_files("forward", &[("in.safetensors", b"")], |folder| {
        let (inputs, outputs) = (folder.join("in.safetensors"), folder.join("out.safetensors"));
        write_safetensors(&inputs, &arrays, &[]).expect("the temporary folder is writable");
        run(model, &inputs, &outputs, gradients).into()
    })
}

fn model(choice: u8) -> &'static Model {
    static OPENED: OnceLock<Vec<Model>> = OnceLock::new();
    let opened = OPENED.get_or_init(|| {
        let folder = |name| in_repository("goldens/checkpoints").join(name);
        let open = |name| open(&folder(name), &OpenOptions::default()).expect("a golden checkpoint").0;
        MODELS.into_iter().map(open).collect()
    });
    &opened[usize::from(choice) % opened.len()]
}

/// The bytes that are not used yet; zeros after their end.
struct Recipe<'a> {
    bytes: &'a [u8],
}

impl Recipe<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = super::options(self.bytes);
        self.bytes = rest;
        first
    }

    /// Small numbers, and for bytes above 240 numbers that no model has.
    fn numbers(&mut self, n: usize) -> Vec<i64> {
        let number = |byte: u8| match byte {
            0..=240 => i64::from(byte % 40),
            241..=244 => -100,
            245..=248 => -1,
            249..=250 => 7,
            251 => i64::from(u32::MAX),
            252 => i64::from(i32::MAX),
            253 => 1 << 40,
            254 => i64::MIN,
            255 => i64::MAX,
        };
        (0..n).map(|_| number(self.byte())).collect()
    }
}
