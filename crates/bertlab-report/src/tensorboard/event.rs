//! TensorFlow's `Event` message for scalars (tensorboard/compat/proto/event.proto and summary.proto).

use bertlab_train::Record;

/// A message that is being written; fields are appended.
#[derive(Default)]
struct Message(Vec<u8>);

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

/// The content of an event.
enum What {
    /// The version of the file format: the first event of every file.
    Version,
    /// Invalidates the steps of earlier files from this event's step on.
    Start,
    /// Tags and values.
    Scalars(Vec<(String, f32)>),
}

/// One event.
pub(super) struct Event {
    wall_time: f64,
    step: u64,
    what: What,
}

impl Event {
    pub(super) fn version(wall_time: f64) -> Self {
        Self { wall_time, step: 0, what: What::Version }
    }

    pub(super) fn start(wall_time: f64) -> Self {
        Self { wall_time, step: 0, what: What::Start }
    }

    /// A log record with HuggingFace's tags: `eval_loss` is `eval/loss`, `loss` is `train/loss`. Values that
    /// are not numbers are omitted.
    pub(super) fn of_log(line: &Record, step: u64, wall_time: f64) -> Self {
        let scalars = line.iter().filter(|(name, _)| *name != "step");
        let scalars = scalars.filter_map(|(name, value)| Some((tag(name), value.as_f64()? as f32)));
        Self { wall_time, step, what: What::Scalars(scalars.collect()) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut event = Message::default();
        event.key(1, FIXED_64);
        event.0.extend_from_slice(&self.wall_time.to_le_bytes());
        event.key(2, VARINT);
        event.varint(self.step);
        match &self.what {
            What::Version => event.bytes(3, b"brain.Event:2"),
            // SessionLog { status: START }
            What::Start => event.bytes(7, &[1 << 3, 1]),
            What::Scalars(scalars) => event.bytes(5, &summary(scalars)),
        }
        event.0
    }
}

/// Summary { value: [{ tag, simple_value }] }
fn summary(scalars: &[(String, f32)]) -> Vec<u8> {
    let mut summary = Message::default();
    for (tag, value) in scalars {
        let mut entry = Message::default();
        entry.bytes(1, tag.as_bytes());
        entry.key(2, FIXED_32);
        entry.0.extend_from_slice(&value.to_le_bytes());
        summary.bytes(1, &entry.0);
    }
    summary.0
}

fn tag(name: &str) -> String {
    match (name.strip_prefix("eval_"), name.strip_prefix("test_")) {
        (Some(rest), _) => format!("eval/{rest}"),
        (_, Some(rest)) => format!("test/{rest}"),
        _ => format!("train/{name}"),
    }
}

/// A scalar that was read from an event file.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The tag, for example "train/loss".
    pub tag: String,
    /// The update step.
    pub step: u64,
    /// Time in seconds since 1970-01-01.
    pub wall_time: f64,
    /// The value, in the format's 32 bits.
    pub value: f32,
}

/// The scalars of an event; `None` if the bytes are not an event.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Scalar>> {
    let (mut wall_time, mut step, mut values) = (0.0, 0, Vec::new());
    for (field, value) in fields(bytes)? {
        match (field, value) {
            (1, Field::Fixed64(bits)) => wall_time = f64::from_bits(bits),
            (2, Field::Varint(value)) => step = value,
            (5, Field::Bytes(summary)) => values.extend(read_summary(summary)?),
            _ => {}
        }
    }
    let scalar = |(tag, value)| Scalar { tag, step, wall_time, value };
    Some(values.into_iter().map(scalar).collect())
}

fn read_summary(bytes: &[u8]) -> Option<Vec<(String, f32)>> {
    let mut values = Vec::new();
    for (_, entry) in fields(bytes)?.into_iter().filter(|(field, _)| *field == 1) {
        let Field::Bytes(entry) = entry else { return None };
        let (mut tag, mut value) = (String::new(), None);
        for field in fields(entry)? {
            match field {
                (1, Field::Bytes(bytes)) => tag = String::from_utf8(bytes.to_vec()).ok()?,
                (2, Field::Fixed32(bits)) => value = Some(f32::from_bits(bits)),
                _ => {}
            }
        }
        values.extend(value.map(|value| (tag, value)));
    }
    Some(values)
}

/// The value of a field.
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let value = match key & 7 {
            VARINT => Field::Varint(take_varint(&mut bytes)?),
            FIXED_64 => Field::Fixed64(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            FIXED_32 => Field::Fixed32(u32::from_le_bytes(take(&mut bytes, 4)?.try_into().ok()?)),
            BYTES => {
                let length = usize::try_from(take_varint(&mut bytes)?).ok()?;
                Field::Bytes(take(&mut bytes, length)?)
            }
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(n)?;
    *bytes = rest;
    Some(taken)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
