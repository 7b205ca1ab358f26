//! Mutations of JSON documents that keep them well formed: values of other types, missing and doubled keys,
//! depth.

use bertlab_compute::random::Generator;
use serde_json::{Value, json};

/// Arrays nested this deep: more than any format needs, less than serde_json refuses.
const DEPTH: usize = 100;
/// Length of a long text and of a long list.
const LONG: usize = 2000;

/// Changes one to three values of a JSON object or list; `None` for other input. A target may prefix its
/// document with one byte of options, which stays.
pub(crate) fn mutate(bytes: &[u8], random: &mut Generator) -> Option<Vec<u8>> {
    let start = usize::from(!matches!(bytes.first()?, b'{' | b'['));
    let mut document: Value = serde_json::from_slice(&bytes[start..]).ok()?;
    if !document.is_object() && !document.is_array() {
        return None;
    }
    for _ in 0..=random.below(3) {
        let n_values = count(&document);
        let donor = nth(&mut document, &mut random.below(n_values)).expect("below the count").clone();
        let place = nth(&mut document, &mut random.below(n_values)).expect("below the count");
        change(place, donor, random);
    }
    let mut mutated = bytes[..start].to_vec();
    mutated.extend(document.to_string().bytes());
    Some(mutated)
}

/// Values in a document, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of which `left` values stand before it, parents first.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(entries) => entries.values_mut().find_map(|item| nth(item, left)),
        _ => None,
    }
}

fn change(place: &mut Value, donor: Value, random: &mut Generator) {
    match (random.below(3), place) {
        (0, Value::Object(entries)) if !entries.is_empty() => {
            let key = entries.keys().nth(random.below(entries.len())).expect("below the length").clone();
            let removed = entries.remove(&key).expect("the key is there");
            if random.below(2) == 0 {
                entries.insert(format!("{key}_"), removed);
            }
        }
        (0, Value::Array(items)) if !items.is_empty() => {
            let item = items[random.below(items.len())].clone();
            items.push(item);
        }
        (1, place) => *place = donor,
        (_, place) => *place = hostile(random),
    }
}

/// A value that a reader may not expect.
fn hostile(random: &mut Generator) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(random.below(100)),
        5 => json!(1_u64 << (31 + random.below(33))),
        6 => json!(1e308),
        7 => json!(0.5),
        8 => json!(""),
        9 => json!("../x"),
        10 => json!("\u{1b}]0;x\u{7}\u{202e}"),
        11 => json!("x".repeat(LONG)),
        12 => json!(vec![0; LONG]),
        _ => (0..DEPTH).fold(json!({}), |inner, _| json!([inner])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutated_documents_stay_json_and_keep_their_options() {
        let random = &mut Generator::new(1);
        let document = br#"!{"a": [1, {"b": "c"}], "d": null}"#;
        for _ in 0..300 {
            let mutated = mutate(document, random).expect("a JSON object");
            assert_eq!(mutated[0], b'!');
            serde_json::from_slice::<Value>(&mutated[1..]).expect("still JSON");
        }
        assert_eq!(mutate(b"text,label\n", random), None);
        assert_eq!(mutate(b"", random), None);
    }
}
