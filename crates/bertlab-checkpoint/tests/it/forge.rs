//! Makes PyTorch files by hand, in both formats, so that tests need no Python.

use std::io::{Cursor, Write};
use zip::write::{SimpleFileOptions, ZipWriter};

/// A tensor as `torch.save` describes it: a view of a storage. Offset, shape and strides count elements.
#[derive(Clone)]
pub struct Tensor {
    pub name: &'static str,
    pub storage: usize,
    pub offset: i32,
    pub shape: Vec<i32>,
    pub strides: Vec<i32>,
}

/// A storage of f32 numbers.
pub type Storage = Vec<f32>;

pub fn tensor(name: &'static str, storage: usize, shape: &[i32], strides: &[i32]) -> Tensor {
    Tensor { name, storage, offset: 0, shape: shape.to_vec(), strides: strides.to_vec() }
}

/// Writes opcodes of pickle protocol 2.
#[derive(Default)]
pub struct Pickler {
    bytes: Vec<u8>,
}

impl Pickler {
    pub fn new() -> Self {
        Self { bytes: b"\x80\x02".to_vec() }
    }

    pub fn raw(&mut self, opcodes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(opcodes);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }

    pub fn int(&mut self, number: i32) -> &mut Self {
        self.raw(b"J").raw(&number.to_le_bytes())
    }

    pub fn float(&mut self, number: f64) -> &mut Self {
        self.raw(b"G").raw(&number.to_be_bytes())
    }

    pub fn ints(&mut self, numbers: &[i32]) -> &mut Self {
        self.raw(b"(");
        for &number in numbers {
            self.int(number);
        }
        self.raw(b"t")
    }

    pub fn tensor(&mut self, tensor: &Tensor, storage_length: usize) -> &mut Self {
        self.raw(b"ctorch._utils\n_rebuild_tensor_v2\n(");
        self.raw(b"(").text("storage").raw(b"ctorch\nFloatStorage\n").text(&tensor.storage.to_string());
        self.text("cpu").int(storage_length as i32).raw(b"tQ");
        self.int(tensor.offset).ints(&tensor.shape).ints(&tensor.strides);
        self.raw(b"\x89ccollections\nOrderedDict\n)RtR")
    }

    /// An OrderedDict of the tensors, with the `_metadata` attribute that modules put there.
    pub fn state_dictionary(&mut self, tensors: &[Tensor], storages: &[Storage]) -> &mut Self {
        self.raw(b"ccollections\nOrderedDict\n)Rq\x00(");
        for tensor in tensors {
            self.text(tensor.name).tensor(tensor, storages[tensor.storage].len());
        }
        self.raw(b"u}").text("_metadata").raw(b"}sb")
    }

    pub fn stop(&mut self) -> Vec<u8> {
        self.raw(b".");
        std::mem::take(&mut self.bytes)
    }
}

/// What `torch.save(OrderedDict(...))` pickles.
pub fn state_dictionary(tensors: &[Tensor], storages: &[Storage]) -> Vec<u8> {
    Pickler::new().state_dictionary(tensors, storages).stop()
}

/// Both moments of a weight, and its number of updates.
pub fn moments() -> Vec<Vec<f32>> {
    vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![0.5; 6], vec![7.0]]
}

/// What AdamW pickles: one group with weights 0 and 1, of which the second never had a gradient. `settings` and `state` may add entries,
/// the last of which count.
pub fn optimizer(settings: impl FnOnce(&mut Pickler), state: impl FnOnce(&mut Pickler)) -> Vec<u8> {
    let mut pickler = Pickler::new();
    pickler.raw(b"}(").text("state").raw(b"}J").raw(&0_i32.to_le_bytes()).raw(b"}(");
    pickler.text("step").tensor(&tensor("", 2, &[], &[]), 1);
    pickler.text("exp_avg").tensor(&tensor("", 0, &[2, 3], &[3, 1]), 6);
    pickler.text("exp_avg_sq").tensor(&tensor("", 1, &[2, 3], &[3, 1]), 6);
    state(&mut pickler);
    pickler.raw(b"us").text("param_groups").raw(b"]}(");
    pickler.text("lr").float(0.25).text("initial_lr").float(0.5);
    pickler.text("betas").float(0.9).float(0.999).raw(b"\x86").text("eps").float(1e-8);
    pickler.text("weight_decay").int(0).text("params").raw(b"](").int(0).int(1).raw(b"e");
    settings(&mut pickler);
    pickler.raw(b"uau").stop()
}

/// A file of the format since PyTorch 1.6. `edit` may change the entries before they are written.
pub fn zip_file(
    objects: Vec<u8>,
    storages: &[Storage],
    edit: impl FnOnce(&mut Vec<(String, Vec<u8>)>),
) -> Vec<u8> {
    let mut entries =
        vec![("archive/data.pkl".to_owned(), objects), ("archive/byteorder".to_owned(), b"little".to_vec())];
    for (key, storage) in storages.iter().enumerate() {
        entries.push((format!("archive/data/{key}"), little_endian(storage)));
    }
    entries.push(("archive/version".to_owned(), b"3\n".to_vec()));
    edit(&mut entries);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, contents) in entries {
        writer.start_file(name, options.with_alignment(64)).expect("writing to memory");
        writer.write_all(&contents).expect("writing to memory");
    }
    writer.finish().expect("writing to memory").into_inner()
}

/// A file of the format before PyTorch 1.6.
pub fn legacy_file(objects: &[u8], storages: &[Storage], little_endian_system: bool) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    let truth: &[u8] = if little_endian_system { b"\x88" } else { b"\x89" };
    file.extend(Pickler::new().raw(b"}(").text("little_endian").raw(truth).raw(b"u").stop());
    file.extend_from_slice(objects);
    let mut keys = Pickler::new();
    keys.raw(b"](");
    for key in 0..storages.len() {
        keys.text(&key.to_string());
    }
    file.extend(keys.raw(b"e").stop());
    for storage in storages {
        file.extend((storage.len() as u64).to_le_bytes());
        file.extend(little_endian(storage));
    }
    file
}

fn little_endian(storage: &[f32]) -> Vec<u8> {
    storage.iter().flat_map(|value| value.to_le_bytes()).collect()
}
