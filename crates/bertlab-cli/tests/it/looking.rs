//! The door: overview, inspect, tokenize, decode, and what every command has in common.

use std::process::{Command, Stdio};

use crate::support::{MAX_TOKENS, TinyModel, parse, run, run_with_input, shared};
use serde_json::json;

#[test]
fn without_arguments_the_program_says_what_it_can_do() {
    let text = run(&[]).ok();
    assert!(text.lines().count() <= 15, "{text}");
    let named = [
        "lab",
        "inspect",
        "tokenize",
        "embed",
        "words",
        "fill-mask",
        "train",
        "evaluate",
        "predict",
        "pretrain",
        "bench",
    ];
    for command in named {
        assert!(text.contains(&format!("bertlab {command} ")), "{command}");
    }
    assert_eq!(text.lines().count(), 10);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for command in named.into_iter().chain(["decode", "forward"]) {
        let help = run(&[command, "--help"]).ok();
        assert!(help.contains("EXAMPLES") && help.contains("--json"), "{help}");
        assert!(help.contains("--offline") && help.contains("--threads"), "{help}");
    }
}

#[test]
fn shells_and_man_know_every_command_and_its_options() {
    let bash = run(&["completions", "bash"]).ok();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pages = folder.path().join("man1");
    run(&["man", pages.to_str().expect("UTF-8")]).ok();
    let help = run(&["--help"]).ok();
    let (_, commands) = help.split_once("Commands:\n").expect("a list of commands");
    let names: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(bash.contains(name), "{name}");
        let page = std::fs::read_to_string(pages.join(format!("bertlab-{name}.1"))).expect("a page");
        assert!(page.contains("EXAMPLES") && page.contains("offline"), "{name}");
    }
    assert!(bash.contains("--per-device-train-batch-size") && bash.contains("--batch-tokens"));
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).ok().contains("pretrain"), "{shell}");
    }
    assert_eq!(run(&["completions", "tcsh"]).code, Some(2));
}

#[test]
fn usage_errors_have_code_2() {
    for arguments in
        [&["embed"][..], &["no-such-command"], &["tokenize", "model"], &["inspect", "m", "--colour"]]
    {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
}

#[test]
fn inspect_gives_sizes() {
    let model = TinyModel::new("BertForSequenceClassification");
    let facts = run(&["inspect", &model.word(), "--json"]).json();
    // 3 tables, their norm, 16 tensors per layer, pooler and classifier.
    assert_eq!(facts["n_tensors"], 3 + 2 + 2 * 16 + 2 + 2);
    let (d, f, layers) = (16, 32, 2);
    let per_layer = 4 * (d * d + d) + 2 * d + (d * f + f) + (f * d + d) + 2 * d;
    let n = (24 + MAX_TOKENS + 2) * d + 2 * d + layers * per_layer + (d * d + d) + (3 * d + 3);
    assert_eq!(facts["n_parameters"], n);
    assert_eq!((&facts["family"], &facts["head"]), (&json!("bert"), &json!("sequence-classification")));
    assert_eq!((&facts["dtype"], &facts["bytes"]), (&json!("F32"), &json!(4 * n)));
    assert_eq!(facts["labels"], json!(["bad", "good", "so so"]));
    assert_eq!(facts["report"], json!([]));
    let text = run(&["inspect", &model.word()]).ok();
    assert!(text.contains("BertForSequenceClassification") && text.contains("bad, good, so so"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text}");
}

#[test]
fn inspect_shows_modules_and_tensors() {
    let model = TinyModel::new("BertModel");
    let tree = run(&["inspect", &model.word(), "--tree"]).ok();
    assert!(tree.contains("(0-1): 2 x BertLayer") && tree.starts_with("BertModel"), "{tree}");
    let query = run(&["inspect", &model.word(), "--module", "encoder.layer.0.attention.self.query"]).ok();
    assert_eq!(query, "Linear(in_features=16, out_features=16, bias=True)\n");
    let facts =
        run(&["inspect", &model.word(), "--json", "--tree", "--tensors", "--module", "pooler"]).json();
    assert_eq!(facts["tree"]["n_parameters"], facts["n_parameters"]);
    assert_eq!(facts["tensors"].as_array().map(Vec::len), facts["n_tensors"].as_u64().map(|n| n as usize));
    assert_eq!(facts["module"]["class"], "BertPooler");
    let name = "embeddings.word_embeddings.weight";
    let stats = &run(&["inspect", &model.word(), "--tensor", name, "--json"]).json()["tensor"];
    assert_eq!((&stats["shape"], &stats["n"]), (&json!([24, 16]), &json!(384)));
    let counts = crate::support::numbers(&stats["histogram"]["counts"]);
    assert_eq!(counts.iter().sum::<f64>(), 384.0);
    assert!(stats["min"].as_f64() < stats["mean"].as_f64() && stats["mean"].as_f64() < stats["max"].as_f64());
    let text = run(&["inspect", &model.word(), "--tensor", name]).ok();
    assert!(text.contains("[24, 16]") && text.contains('█'), "{text}");
    let lines = run(&["inspect", &model.word(), "--tensors"]).ok();
    assert!(lines.lines().any(|line| line.starts_with(name) && line.contains("[24, 16]")), "{lines}");
}

#[test]
fn inspect_needs_no_weights_but_says_so() {
    let model = TinyModel::new("BertModel");
    let found = run(&["inspect", &model.without_weights()]);
    assert!(found.err.contains("no weights") && found.err.contains("random"), "{}", found.err);
    assert!(found.ok().contains("parameters"));
    let quiet = run(&["inspect", &model.without_weights(), "--quiet"]);
    assert_eq!(quiet.err, "");
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let model = TinyModel::new("BertModel");
    run(&["inspect", &model.word(), "--module", "encoder.layer.7"]).refused(&["encoder.layer", "0, 1"]);
    run(&["inspect", &model.word(), "--tensor", "embeddings.word_embedings.weight"])
        .refused(&["embeddings.word_embeddings.weight"]);
}

#[test]
fn tokenize_gives_every_list() {
    let model = TinyModel::new("BertModel");
    let lines = run(&["tokenize", &model.word(), "A new GPU!", "--json"]).json_lines();
    let wanted = json!({
        "tokens": ["[CLS]", "a", "new", "gp", "##u", "!", "[SEP]"], "input_ids": [2, 7, 8, 11, 12, 13, 3],
        "token_type_ids": [0, 0, 0, 0, 0, 0, 0], "attention_mask": [1, 1, 1, 1, 1, 1, 1],
        "special_tokens_mask": [1, 0, 0, 0, 0, 0, 1],
        "offsets": [[0, 0], [0, 1], [2, 5], [6, 8], [8, 9], [9, 10], [0, 0]],
        "word_ids": [null, 0, 1, 2, 2, 3, null],
    });
    assert_eq!(lines, [wanted]);
    let pair = run(&[
        "tokenize",
        &model.word(),
        "my",
        "--pair",
        "loan",
        "--padding",
        "max_length",
        "--max-length",
        "7",
    ]);
    assert!(pair.ok().starts_with("[CLS] my [SEP] loan [SEP] [PAD] [PAD]"));
    let bare = run(&["tokenize", &model.word(), "my loan", "--no-special-tokens", "--json"]).json();
    assert_eq!(bare["tokens"], json!(["my", "loan"]));
}

#[test]
fn tokenize_reads_files_and_standard_input() {
    let model = TinyModel::new("BertModel");
    let file = model.beside("rows.jsonl");
    std::fs::write(&file, "{\"text\": \"my\", \"pair\": \"loan\"}\n{\"text\": \"the bank\"}\n")
        .expect("writable");
    let lines =
        run(&["tokenize", &model.word(), "--input", &file, "--json", "--padding", "longest"]).json_lines();
    assert_eq!(lines[0]["token_type_ids"], json!([0, 0, 0, 1, 1]));
    assert_eq!(lines[1]["tokens"], json!(["[CLS]", "the", "bank", "[SEP]", "[PAD]"]));
    let lines =
        run_with_input(&["tokenize", &model.word(), "--input", "-", "--json"], "my\n\nloan\n").json_lines();
    assert_eq!(lines.len(), 3, "a blank line is a text");
}

#[test]
fn tokenize_warns_of_long_texts_and_cuts_when_asked() {
    let model = TinyModel::new("BertModel");
    let long = "loan ".repeat(40);
    let whole = run(&["tokenize", &model.word(), &long, "--json"]);
    assert!(whole.err.contains("warning") && whole.err.contains("24 tokens"), "{}", whole.err);
    assert_eq!(whole.json()["input_ids"].as_array().map(Vec::len), Some(42));
    let cut = run(&["tokenize", &model.word(), &long, "--json", "--truncation", "longest_first"]);
    assert!(cut.err.contains("1 of 1 text cut to 24 tokens"), "{}", cut.err);
    assert_eq!(cut.json()["input_ids"].as_array().map(Vec::len), Some(MAX_TOKENS));
    run(&["tokenize", &model.word(), "my", &long, "--truncation", "only_second", "--json"])
        .refused(&["text 2", "only_first"]);
}

#[test]
fn decode_gives_text_and_refuses_unknown_ids() {
    let model = TinyModel::new("BertModel");
    assert_eq!(
        run(&["decode", &model.word(), "2", "7", "8", "11", "12", "13", "3"]).ok(),
        "[CLS] a new gpu! [SEP]\n"
    );
    let skipped = ["decode", &model.word(), "2", "21", "22", "23", "3", "--skip-special-tokens"];
    assert_eq!(run(&skipped).ok(), "don't\n");
    assert_eq!(
        run(&["decode", &model.word(), "8", "--json"]).json(),
        json!({"text": "new", "tokens": ["new"]})
    );
    run(&["decode", &model.word(), "24"]).refused(&["24", "0 to 23"]);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let model = TinyModel::new("BertModel");
    let file = model.beside("many.txt");
    std::fs::write(&file, "i have a new cpu !\n".repeat(5000)).expect("writable");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bertlab"))
        .args(["tokenize", &model.word(), "--input", &file, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn colours_follow_the_wish() {
    let model = TinyModel::new("BertModel");
    let arguments = ["tokenize", &model.word(), "a bank"];
    assert!(!run(&arguments).ok().contains('\u{1b}'));
    assert!(run(&[&arguments[..], &["--color", "always"]].concat()).ok().contains('\u{1b}'));
}

#[test]
fn the_given_models_have_their_known_sizes() {
    for (folder, n_tensors, n_parameters) in
        [("models/bert-base-shape", 199, 109_482_240), ("models/all-MiniLM-L6-v2", 103, 22_713_216)]
    {
        let Some(folder) = shared(folder) else { continue };
        let facts = run(&["inspect", &folder, "--json"]).json();
        assert_eq!((&facts["n_tensors"], &facts["n_parameters"]), (&json!(n_tensors), &json!(n_parameters)));
    }
}

#[test]
fn the_given_tokenizers_need_no_weights() {
    let Some(folder) = shared("fixtures/tokenizers/bert-base-uncased") else { return };
    let line = run(&["tokenize", &folder, "I have a new NVIDIA GPU!", "--json"]).ok();
    let wanted = json!([101, 1045, 2031, 1037, 2047, 1050, 17258, 2401, 14246, 2226, 999, 102]);
    assert_eq!(parse(&line)["input_ids"], wanted);
}
