//! Vectors to a file, by its ending: NumPy, safetensors, JSON lines. Written beside and renamed.

use std::path::Path;

use bertlab_checkpoint::{NamedArray, atomic, write_safetensors};
use bertlab_explore::Embedding;
use bertlab_text::TextInput;
use serde::Serialize;

use crate::Error;

/// A file format for embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddingsFormat {
    /// `.npy`: one matrix `[texts, width]` of f32, or `[tokens, width]` of a single text's tokens.
    Numpy,
    /// `.safetensors`: `embeddings [texts, width]`, or `embeddings.I [tokens, width]` of text I's tokens.
    Safetensors,
    /// `.jsonl`: a line per text, as [`EmbeddingRow`].
    JsonLines,
}

/// A line of a `.jsonl` file.
#[derive(Clone, Debug, Serialize)]
pub struct EmbeddingRow<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<&'a str>,
    embedding: RowValues<'a>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum RowValues<'a> {
    Vector(&'a [f32]),
    Tokens(Vec<&'a [f32]>),
}

impl<'a> EmbeddingRow<'a> {
    /// A text with its vector, or its tokens' vectors.
    pub fn new(input: &'a TextInput, embedding: &'a Embedding) -> Self {
        let embedding = match embedding {
            Embedding::Vector(vector) => RowValues::Vector(vector),
            Embedding::Tokens(tokens) => {
                RowValues::Tokens((0..tokens.n_rows()).map(|index| tokens.row(index)).collect())
            }
        };
        EmbeddingRow { text: &input.text, pair: input.pair.as_deref(), embedding }
    }
}

impl EmbeddingsFormat {
    /// The format that a file's ending names.
    ///
    /// # Errors
    /// [`Error::EmbeddingsFormat`] for any other ending.
    pub fn of(path: &Path) -> Result<EmbeddingsFormat, Error> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => Ok(EmbeddingsFormat::Numpy),
            Some("safetensors") => Ok(EmbeddingsFormat::Safetensors),
            Some("jsonl") => Ok(EmbeddingsFormat::JsonLines),
            _ => Err(Error::EmbeddingsFormat { path: path.to_owned() }),
        }
    }
}

/// Writes the embeddings of `texts` in the format that the file's ending names.
///
/// # Errors
/// An unknown ending; several texts' tokens in a `.npy` file; a file that cannot be written.
pub fn write_embeddings(path: &Path, texts: &[TextInput], embeddings: &[Embedding]) -> Result<(), Error> {
    let contents = match EmbeddingsFormat::of(path)? {
        EmbeddingsFormat::Numpy => {
            let matrix =
                matrix_of(embeddings).ok_or_else(|| Error::RaggedEmbeddings { path: path.to_owned() })?;
            numpy_bytes(&matrix)
        }
        EmbeddingsFormat::Safetensors => {
            let arrays = match matrix_of_vectors(embeddings) {
                Some(Matrix { shape, values }) => vec![NamedArray::from_f32("embeddings", shape, values)],
                None => embeddings.iter().enumerate().map(tokens_array).collect(),
            };
            return Ok(write_safetensors(path, &arrays, &[])?);
        }
        EmbeddingsFormat::JsonLines => json_lines(texts, embeddings),
    };
    Ok(atomic::write_file(path, &contents)?)
}

struct Matrix {
    shape: [usize; 2],
    values: Vec<f32>,
}

/// One rectangle: of vectors, or of one text's tokens.
fn matrix_of(embeddings: &[Embedding]) -> Option<Matrix> {
    match embeddings {
        [Embedding::Tokens(tokens)] => {
            Some(Matrix { shape: [tokens.n_rows(), tokens.width()], values: tokens.as_slice().to_vec() })
        }
        _ => matrix_of_vectors(embeddings),
    }
}

fn matrix_of_vectors(embeddings: &[Embedding]) -> Option<Matrix> {
    let mut values = Vec::new();
    for embedding in embeddings {
        match embedding {
            Embedding::Vector(vector) => values.extend_from_slice(vector),
            Embedding::Tokens(_) => return None,
        }
    }
    Some(Matrix { shape: [embeddings.len(), values.len() / embeddings.len().max(1)], values })
}

fn tokens_array((index, embedding): (usize, &Embedding)) -> NamedArray {
    let name = format!("embeddings.{index}");
    match embedding {
        Embedding::Vector(vector) => NamedArray::from_f32(name, [vector.len()], vector.clone()),
        Embedding::Tokens(tokens) => NamedArray::from_f32(name, tokens.shape(), tokens.as_slice().to_vec()),
    }
}

fn json_lines(texts: &[TextInput], embeddings: &[Embedding]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (input, embedding) in texts.iter().zip(embeddings) {
        serde_json::to_writer(&mut lines, &EmbeddingRow::new(input, embedding))
            .expect("texts and numbers always have a JSON form");
        lines.push(b'\n');
    }
    lines
}

/// NumPy's format 1.0: magic, version, the header's length, a Python dictionary padded so that the numbers start at a
/// multiple of 64 bytes, the numbers in C order (numpy.lib.format).
fn numpy_bytes(matrix: &Matrix) -> Vec<u8> {
    const BEFORE_HEADER: usize = 10;
    let [n_rows, width] = matrix.shape;
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {width}), }}");
    let n_missing = 64 - (BEFORE_HEADER + header.len() + 1) % 64;
    header.extend(std::iter::repeat_n(' ', n_missing % 64));
    header.push('\n');
    let header_length = u16::try_from(header.len()).expect("two numbers never fill 64 KiB");
    let mut bytes = Vec::with_capacity(BEFORE_HEADER + header.len() + 4 * matrix.values.len());
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&header_length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(matrix.values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use bertlab_checkpoint::read_safetensors;
    use bertlab_compute::Tensor;

    fn tokens(n: usize) -> Embedding {
        Embedding::Tokens(Tensor::from_vec(&[n, 2], (0..2 * n).map(|i| i as f32).collect()))
    }

    #[test]
    fn numpy_files_are_aligned_and_say_their_shape() {
        let bytes = numpy_bytes(&Matrix { shape: [2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, -6.5] });
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((start % 64, bytes[start - 1]), (0, b'\n'));
        let header = std::str::from_utf8(&bytes[10..start]).expect("ASCII");
        assert!(
            header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
            "{header}"
        );
        assert_eq!(bytes.len() - start, 24);
        assert_eq!(bytes[bytes.len() - 4..], (-6.5_f32).to_le_bytes());
    }

    #[test]
    fn every_format_holds_what_was_given() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let texts = [TextInput::from("a"), TextInput { text: "b".into(), pair: Some("c".into()) }];
        let vectors = [Embedding::Vector(vec![1.0, 0.5]), Embedding::Vector(vec![0.0, -2.0])];
        let lines = folder.path().join("e.jsonl");
        write_embeddings(&lines, &texts, &vectors).expect("writable");
        let wanted = "{\"text\":\"a\",\"embedding\":[1.0,0.5]}\n{\"text\":\"b\",\"pair\":\"c\",\"embedding\":[0.0,-2.0]}\n";
        assert_eq!(std::fs::read_to_string(&lines).expect("written"), wanted);
        let file = folder.path().join("e.safetensors");
        write_embeddings(&file, &texts, &vectors).expect("writable");
        let arrays = read_safetensors(&file).expect("valid");
        assert_eq!((arrays[0].name.as_str(), &arrays[0].shape[..]), ("embeddings", &[2, 2][..]));
        write_embeddings(&file, &texts, &[tokens(3), tokens(1)]).expect("writable");
        let arrays = read_safetensors(&file).expect("valid");
        assert_eq!((arrays[0].name.as_str(), &arrays[0].shape[..]), ("embeddings.0", &[3, 2][..]));
        assert_eq!(arrays[1].shape, [1, 2]);
    }

    #[test]
    fn what_a_file_cannot_hold_is_refused() {
        let texts = [TextInput::from("a"), TextInput::from("b")];
        let message = |name: &str, embeddings: &[Embedding]| {
            write_embeddings(name.as_ref(), &texts, embeddings).expect_err("refused").to_string()
        };
        assert!(message("e.csv", &[]).contains(".npy, .safetensors or .jsonl"));
        assert!(message("e.npy", &[tokens(3), tokens(1)]).contains("each of its own length"));
        assert!(matrix_of(&[tokens(3)]).is_some_and(|matrix| matrix.shape == [3, 2]));
    }
}
