//! The pickle reader on hand-written pickles: plain, hostile and broken.

use super::*;

fn read_bytes(input: &[u8]) -> Result<Pickle, Error> {
    read(input, Path::new("pytorch_model.bin"))
}

fn message(input: &[u8]) -> String {
    read_bytes(input).err().expect("an error").to_string()
}

#[test]
fn plain_values_are_read() {
    // pickle.dumps({"a": [1, -2, 1000, 70000], "b": (True, None, 1.5)}, protocol=2)
    let input =
        b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM\xe8\x03Jp\x11\x01\x00e\
        X\x01\x00\x00\x00bq\x03\x88NG?\xf8\x00\x00\x00\x00\x00\x00\x87q\x04u.";
    let pickle = read_bytes(input).expect("a pickle");
    assert_eq!(pickle.n_bytes, input.len());
    assert!(matches!(pickle.root, Value::Dictionary(0)));
    let numbers: Vec<_> = pickle.lists[0].iter().map(|value| format!("{value:?}")).collect();
    assert_eq!(numbers, ["Int(1)", "Int(-2)", "Int(1000)", "Int(70000)"]);
    let (key, Value::Tuple(tuple)) = &pickle.dictionaries[0][1] else { panic!("a tuple") };
    assert!(matches!(key, Value::Text(text) if &**text == "b"));
    assert!(matches!(*tuple.items, [Value::Bool(true), Value::None, Value::Float(1.5)]));
}

#[test]
fn an_alias_sees_what_is_added_later() {
    // d = {}; d["self"] = d
    let pickle = read_bytes(b"\x80\x02}q\x00U\x04selfh\x00s.").expect("a pickle");
    assert!(matches!(pickle.dictionaries[0][0].1, Value::Dictionary(0)));
}

#[test]
fn long_numbers_keep_their_sign() {
    assert!(matches!(long(&[]), Value::Int(0)));
    assert!(matches!(long(&[0xff]), Value::Int(-1)));
    assert!(matches!(long(&[0xff, 0]), Value::Int(255)));
    assert!(matches!(long(&[0; 9]), Value::Long(_)));
}

#[test]
fn names_beyond_tensors_are_refused_by_name() {
    for (input, global) in [
        (b"\x80\x02cos\nsystem\nX\x07\x00\x00\x00echo hi\x85R.".as_slice(), "os.system"),
        (b"cposix\nsystem\n(X\x01\x00\x00\x00atR.", "posix.system"),
        (b"\x80\x02cbuiltins\neval\n)R.", "builtins.eval"),
        (b"\x80\x02c__builtin__\nexec\n)R.", "__builtin__.exec"),
        (b"\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)R.", "subprocess.Popen"),
        (b"\x80\x02ctorch\nload\n)R.", "torch.load"),
    ] {
        let message = message(input);
        assert!(message.contains(&format!("`{global}`")), "{message}");
        assert!(message.contains("not executed") && message.contains("pytorch_model.bin"), "{message}");
    }
}

#[test]
fn calling_by_the_old_opcodes_is_refused() {
    assert!(message(b"(ios\nsystem\n.").contains("opcode 0x69")); // INST
    assert!(message(b"(cos\nsystem\no.").contains("`os.system`")); // OBJ
    assert!(message(b"\x80\x02\x82\x01.").contains("opcode 0x82")); // EXT1
}

#[test]
fn hostile_sizes_and_nesting_are_refused() {
    assert!(message(&[b"X\xff\xff\xff\xff".as_slice(), b"a"].concat()).contains("end of the file"));
    let nested = [b"N".to_vec(), b"\x85".repeat(100_000), b".".to_vec()].concat();
    assert!(message(&nested).contains("nested deeper"));
    assert!(message(&[b"N".repeat(VALUES_MAX + 1), b".".to_vec()].concat()).contains("more than"));
    assert!(message(&[b"(".repeat(VALUES_MAX + 1), b".".to_vec()].concat()).contains("more than"));
    assert!(message(&[b"N".to_vec(), b"\x94".repeat(VALUES_MAX)].concat()).contains("more than"));
}

#[test]
fn broken_pickles_are_errors() {
    for input in [
        b"".as_slice(),
        b".",
        b"t.",
        b"N",
        b"h\x05.",
        b"q\x00.",
        b"\x80\x09N.",
        b"a.",
        b"NNs.",
        b"}(Nu.",
        b"NNR.",
        b"NNb.",
        b"cos",
        b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.",
        b"N(\x85.",
    ] {
        assert!(matches!(read_bytes(input), Err(Error::Malformed { .. })), "{input:?}");
    }
}
