//! Reads a pickle as data. Nothing is imported, called or executed: the opcodes of `torch.save` build plain
//! values, and Python names that are not in the list below are refused.
//!
//! Mutable containers (lists, dictionaries) are stored in tables and referenced by index, so that aliases see
//! changes and copies do not multiply memory. Tuples are shared, and their nesting is limited, which bounds
//! recursion.

use crate::Error;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Maximum number of values and memo entries; a state dictionary of 1,000 tensors has about 20,000.
const VALUES_MAX: usize = 2_000_000;
/// Maximum nesting of tuples and calls; a state dictionary needs 5.
const DEPTH_MAX: usize = 32;
const HINT: &str = "The file is damaged, or was not written by torch.save: fetch or save it again";
/// Advice for a checkpoint that contains more than tensors.
pub(crate) const RESAVE_HINT: &str =
    "If you trust the file, save it again in Python as plain weights: model.save_pretrained(folder)";

/// The supported Python names. They are only recognised here; `pytorch` interprets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildTensorV2,
    RebuildParameter,
    Storage(crate::Dtype),
}

impl Global {
    fn find(module: &str, name: &str) -> Option<Self> {
        use crate::Dtype;
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensorV2,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "DoubleStorage") => Self::Storage(Dtype::F64),
            ("torch", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Dtype::BF16),
            ("torch", "LongStorage") => Self::Storage(Dtype::I64),
            ("torch", "IntStorage") => Self::Storage(Dtype::I32),
            ("torch", "ShortStorage") => Self::Storage(Dtype::I16),
            ("torch", "CharStorage") => Self::Storage(Dtype::I8),
            ("torch", "ByteStorage") => Self::Storage(Dtype::U8),
            ("torch", "BoolStorage") => Self::Storage(Dtype::Bool),
            _ => return None,
        })
    }
}

/// A value of a pickle. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, in little-endian two's complement.
    Long(Rc<[u8]>),
    Float(f64),
    Text(Rc<str>),
    Tuple(Rc<Nest>),
    /// An index into [`Pickle::lists`].
    List(usize),
    /// An index into [`Pickle::dictionaries`].
    Dictionary(usize),
    Global(Global),
    /// `global(*arguments)`, which is not called.
    Call(Global, Rc<Nest>),
    /// A reference to an object outside the pickle; its only item identifies the object.
    Persistent(Rc<Nest>),
}

impl Value {
    fn depth(&self) -> usize {
        match self {
            Self::Tuple(nest) | Self::Call(_, nest) | Self::Persistent(nest) => nest.depth,
            _ => 0,
        }
    }
}

/// Nested values.
// Invariant: depth is one more than the deepest item's, and at most DEPTH_MAX.
#[derive(Debug)]
pub(crate) struct Nest {
    pub items: Box<[Value]>,
    depth: usize,
}

/// The contents of a pickle.
pub(crate) struct Pickle {
    /// The pickled value.
    pub root: Value,
    pub lists: Vec<Vec<Value>>,
    /// Keys and values in order; of a repeated key the last value counts.
    pub dictionaries: Vec<Vec<(Value, Value)>>,
    /// All persistent objects in order, possibly repeated.
    pub persistent: Vec<Rc<Nest>>,
    /// Length of the pickle in bytes.
    pub n_bytes: usize,
}

/// Reads the pickle at the start of `input`; bytes after its end are ignored.
pub(crate) fn read(input: &[u8], file: &Path) -> Result<Pickle, Error> {
    let mut machine = Machine {
        input,
        at: 0,
        file,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        lists: Vec::new(),
        dictionaries: Vec::new(),
        persistent: Vec::new(),
        n_values: 0,
    };
    while machine.step()? {}
    let root = machine.pop()?;
    let Machine { at, lists, dictionaries, persistent, .. } = machine;
    Ok(Pickle { root, lists, dictionaries, persistent, n_bytes: at })
}

struct Machine<'a> {
    input: &'a [u8],
    at: usize,
    file: &'a Path,
    stack: Vec<Value>,
    /// Stack heights stored by MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    lists: Vec<Vec<Value>>,
    dictionaries: Vec<Vec<(Value, Value)>>,
    persistent: Vec<Rc<Nest>>,
    n_values: usize,
}

impl<'a> Machine<'a> {
    /// Executes one opcode; returns false at the end of the pickle.
    fn step(&mut self) -> Result<bool, Error> {
        let opcode = self.byte()?;
        match opcode {
            b'.' => return Ok(false),
            0x80 => self.protocol()?,
            0x95 => drop(self.take(8)?), // FRAME is a hint for buffering.
            b'(' => {
                self.count_value()?;
                self.marks.push(self.stack.len());
            }
            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' | b'M' | b'J' | 0x8a | b'G' => self.number(opcode)?,
            b'X' | 0x8c | b'U' | b'T' => self.text(opcode)?,
            b')' | 0x85..=0x87 | b't' => self.tuple(opcode)?,
            b']' => self.new_list()?,
            b'}' => self.new_dictionary(Vec::new())?,
            b'a' | b'e' => self.append(opcode)?,
            b's' | b'u' => self.set_items(opcode)?,
            b'q' | b'r' | 0x94 => self.remember(opcode)?,
            b'h' | b'j' => self.recall(opcode)?,
            b'c' | 0x93 => self.global(opcode)?,
            b'R' | 0x81 => self.call()?,
            b'b' => self.build()?,
            b'Q' => self.persistent_object()?,
            _ => {
                return Err(
                    self.malformed(format!("the opcode {opcode:#04x}, which is not used for weights"))
                );
            }
        }
        Ok(true)
    }

    fn protocol(&mut self) -> Result<(), Error> {
        match self.byte()? {
            0..=5 => Ok(()),
            version => Err(self.malformed(format!("pickle protocol {version} (supported: 0 to 5)"))),
        }
    }

    fn number(&mut self, opcode: u8) -> Result<(), Error> {
        let value = match opcode {
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            b'G' => Value::Float(f64::from_be_bytes(self.array()?)), // The one number that is big-endian.
            _ => {
                let length = self.byte()?;
                long(self.take(length.into())?)
            }
        };
        self.push(value)
    }

    fn text(&mut self, opcode: u8) -> Result<(), Error> {
        let length = match opcode {
            0x8c | b'U' => self.byte()?.into(),
            _ => u32::from_le_bytes(self.array()?) as usize,
        };
        let bytes = self.take(length)?;
        let text =
            std::str::from_utf8(bytes).map_err(|reason| self.malformed(format!("invalid text: {reason}")))?;
        self.push(Value::Text(text.into()))
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), Error> {
        let items = match opcode {
            b')' => Vec::new(),
            b't' => self.pop_to_mark()?,
            _ => self.pop_many(usize::from(opcode - 0x84))?,
        };
        let nest = self.nest(items)?;
        self.push(Value::Tuple(nest))
    }

    fn new_list(&mut self) -> Result<(), Error> {
        self.lists.push(Vec::new());
        self.push(Value::List(self.lists.len() - 1))
    }

    fn new_dictionary(&mut self, entries: Vec<(Value, Value)>) -> Result<(), Error> {
        self.dictionaries.push(entries);
        self.push(Value::Dictionary(self.dictionaries.len() - 1))
    }

    fn append(&mut self, opcode: u8) -> Result<(), Error> {
        let items = if opcode == b'a' { self.pop_many(1)? } else { self.pop_to_mark()? };
        let Some(&Value::List(list)) = self.stack.last() else {
            return Err(self.malformed("items without a list"));
        };
        self.lists[list].extend(items);
        Ok(())
    }

    fn set_items(&mut self, opcode: u8) -> Result<(), Error> {
        let items = if opcode == b's' { self.pop_many(2)? } else { self.pop_to_mark()? };
        let Some(&Value::Dictionary(dictionary)) = self.stack.last() else {
            return Err(self.malformed("entries without a dictionary"));
        };
        if items.len() % 2 != 0 {
            return Err(self.malformed("a dictionary key without a value"));
        }
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            self.dictionaries[dictionary].push((key, value));
        }
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), Error> {
        self.count_value()?;
        let place = match opcode {
            b'q' => self.byte()?.into(),
            b'r' => u32::from_le_bytes(self.array()?),
            _ => self.memo.len() as u32, // MEMOIZE; VALUES_MAX keeps the number small.
        };
        let Some(value) = self.stack.last().cloned() else {
            return Err(self.malformed("a memo entry without a value"));
        };
        self.memo.insert(place, value);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), Error> {
        let place = if opcode == b'h' { self.byte()?.into() } else { u32::from_le_bytes(self.array()?) };
        let Some(value) = self.memo.get(&place).cloned() else {
            return Err(self.malformed(format!("a reference to memo entry {place}, which does not exist")));
        };
        self.push(value)
    }

    fn global(&mut self, opcode: u8) -> Result<(), Error> {
        let (module, name) = if opcode == b'c' {
            (self.line()?, self.line()?)
        } else {
            let pair = self.pop_many(2)?;
            let [Value::Text(module), Value::Text(name)] = pair.as_slice() else {
                return Err(self.malformed("a name that is not a string"));
            };
            (module.to_string(), name.to_string())
        };
        match Global::find(&module, &name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(Error::ForbiddenGlobal {
                file: self.file.to_path_buf(),
                global: printable(&format!("{module}.{name}")),
                hint: RESAVE_HINT,
            }),
        }
    }

    /// REDUCE and NEWOBJ. An OrderedDict becomes a dictionary, since its entries follow; other calls are
    /// recorded.
    fn call(&mut self) -> Result<(), Error> {
        let pair = self.pop_many(2)?;
        let [Value::Global(global), Value::Tuple(arguments)] = pair.as_slice() else {
            return Err(self.malformed("a call of an unknown function"));
        };
        if *global != Global::OrderedDict {
            return self.push(Value::Call(*global, arguments.clone()));
        }
        let entries = match &*arguments.items {
            [] => Vec::new(),
            [Value::List(list)] => self.pairs(*list)?,
            _ => return Err(self.malformed("an OrderedDict that is not built from a list")),
        };
        self.new_dictionary(entries)
    }

    /// The entries of `OrderedDict([[key, value], ...])`, as written by Python 2.
    fn pairs(&mut self, list: usize) -> Result<Vec<(Value, Value)>, Error> {
        let mut entries = Vec::new();
        for index in 0..self.lists[list].len() {
            self.count_value()?;
            let pair = match &self.lists[list][index] {
                Value::List(pair) => self.lists[*pair].as_slice(),
                Value::Tuple(pair) => &pair.items,
                _ => &[],
            };
            let [key, value] = pair else {
                return Err(self.malformed("an entry of an OrderedDict that is not a pair"));
            };
            entries.push((key.clone(), value.clone()));
        }
        Ok(entries)
    }

    /// BUILD sets attributes. A state dictionary has the attribute `_metadata` with version numbers, which is
    /// ignored.
    fn build(&mut self) -> Result<(), Error> {
        self.pop()?;
        match self.stack.last() {
            Some(Value::Dictionary(_)) => Ok(()),
            _ => Err(self.malformed("attributes of a value that is not a dictionary")),
        }
    }

    fn persistent_object(&mut self) -> Result<(), Error> {
        let item = self.pop()?;
        let nest = self.nest(vec![item])?;
        self.persistent.push(nest.clone());
        self.push(Value::Persistent(nest))
    }

    fn nest(&self, items: Vec<Value>) -> Result<Rc<Nest>, Error> {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        if depth > DEPTH_MAX {
            return Err(self.malformed(format!("tuples nested deeper than {DEPTH_MAX}")));
        }
        Ok(Rc::new(Nest { items: items.into(), depth }))
    }

    fn push(&mut self, value: Value) -> Result<(), Error> {
        self.count_value()?;
        self.stack.push(value);
        Ok(())
    }

    fn count_value(&mut self) -> Result<(), Error> {
        self.n_values += 1;
        if self.n_values > VALUES_MAX {
            return Err(self.malformed(format!("more than {VALUES_MAX} values")));
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, Error> {
        let mut one = self.pop_many(1)?;
        Ok(one.pop().expect("pop_many gave one value"))
    }

    /// Pops the top `count` values of the stack, lowest first; values below the last mark are not accessible.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>, Error> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() < floor + count {
            return Err(self.malformed(format!("fewer than {count} value(s) on the stack")));
        }
        Ok(self.stack.split_off(self.stack.len() - count))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Error> {
        let Some(mark) = self.marks.pop() else {
            return Err(self.malformed("the end of a group without its start"));
        };
        Ok(self.stack.split_off(mark))
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("take gave N bytes"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let input: &'a [u8] = self.input;
        let Some(bytes) = input[self.at..].get(..length) else {
            return Err(self.malformed("the end of the file within a value"));
        };
        self.at += length;
        Ok(bytes)
    }

    fn line(&mut self) -> Result<String, Error> {
        let rest = &self.input[self.at..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.malformed("an unterminated name"));
        };
        self.at += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn malformed(&self, found: impl Into<String>) -> Error {
        Error::Malformed {
            file: self.file.to_path_buf(),
            wanted: "a pickle of tensors, as written by torch.save".into(),
            found: format!("{} (byte {} of the pickle)", found.into(), self.at),
            hint: HINT,
        }
    }
}

/// An integer of any length, in little-endian two's complement.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Long(bytes.into());
    }
    let sign = if bytes.last().is_some_and(|&last| last >= 0x80) { 0xff } else { 0 };
    let mut padded = [sign; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(padded))
}

/// A name from a file, shortened and without control characters, for messages.
fn printable(name: &str) -> String {
    name.chars().take(100).map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests;
