"""Opens folders that bertlab wrote with HuggingFace transformers, and compares what both compute on the same inputs.

Run: python scripts/check_saved.py BERTLAB FOLDER...
BERTLAB is the program; each FOLDER was written by save_pretrained: a run's final_model or checkpoint-N, or what
`cargo run --example resave -- FROM TO` writes. Needs torch, transformers, safetensors and numpy.

For each folder: transformers must find every weight under its name; logits (or hidden states) of random rows may differ
by 1e-4; where there is a tokenizer, AutoTokenizer must give the ids of `bertlab tokenize --json`. Prints a line per
folder, and exits with 1 where one fails.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file

TOLERANCE = 1e-4
OUTPUTS = ("logits", "start_logits", "end_logits", "prediction_logits", "seq_relationship_logits", "last_hidden_state", "pooler_output")
TEXTS = [
    "I have a new CPU!",
    "My GPU is made by NVIDIA, isn't it?",
    "",
    "The Café de l'Été costs 3.50 € (naïve).",
    "don't stop -- it's 10,000 miles away...",
    "東京は日本の首都です。",
    "unaffable antidisestablishmentarianism",
    "[CLS] a [MASK] in the text [SEP]",
    "tabs\tand\nnew lines  and   spaces",
    "🙂 emoji, Ünïcödé and Ελληνικά",
]


def open_with_transformers(folder):
    """The model by its class name, and what was wrong with its weights' names."""
    class_name = json.loads((folder / "config.json").read_text())["architectures"][0]
    head = class_name[class_name.index("For") :] if "For" in class_name else ""
    model, info = getattr(transformers, f"AutoModel{head}").from_pretrained(folder, output_loading_info=True)
    assert type(model).__name__ == class_name, f"{type(model).__name__}, not {class_name}"
    problems = {key: sorted(names) for key, names in info.items() if key != "error_msgs" and names}
    return model.eval(), problems


def random_inputs(config):
    """Three rows of different length, padded on the right."""
    random, shape = np.random.default_rng(0), (3, 12)
    mask = np.ones(shape, dtype=np.int64)
    mask[1, 7:], mask[2, 3:] = 0, 0
    ids = np.where(mask == 1, random.integers(0, config.vocab_size, shape), config.pad_token_id)
    # A padding id among the tokens counts as padding for RoBERTa's positions: keep it out.
    ids[(mask == 1) & (ids == config.pad_token_id)] = config.vocab_size - 1
    return {"input_ids": ids, "attention_mask": mask}


def largest_difference(program, folder, model):
    inputs = random_inputs(model.config)
    with tempfile.TemporaryDirectory() as scratch:
        inputs_file, outputs_file = f"{scratch}/in.safetensors", f"{scratch}/out.safetensors"
        save_file(inputs, inputs_file)
        command = [program, "forward", folder, "--inputs", inputs_file, "--outputs", outputs_file, "--offline"]
        subprocess.run(command, check=True, capture_output=True)
        found = load_file(outputs_file)
    with torch.no_grad():
        expected = model(**{name: torch.from_numpy(array) for name, array in inputs.items()})
    differences = []
    for name in (name for name in OUTPUTS if name in expected and expected[name] is not None):
        difference = np.abs(found[name] - expected[name].numpy())
        is_by_row = name in ("seq_relationship_logits", "pooler_output") or (name == "logits" and difference.ndim == 2)
        # What stands at padding means nothing.
        differences.append((difference if is_by_row else difference[inputs["attention_mask"] == 1]).max())
    assert differences, "no output to compare"
    return max(map(float, differences))


def tokenizer_differences(program, folder):
    """The texts of which ids differ; none where there is no tokenizer."""
    if not any((folder / name).exists() for name in ("tokenizer.json", "vocab.txt")):
        return None
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
        file.flush()
        command = [program, "tokenize", folder, "--input", file.name, "--json", "--offline"]
        result = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    lines = [json.loads(line)["input_ids"] for line in result.stdout.splitlines()]
    assert len(lines) == len(TEXTS), f"{len(lines)} lines for {len(TEXTS)} texts"
    return [text for text, ids in zip(TEXTS, lines) if tokenizer(text)["input_ids"] != ids]


def check(program, folder):
    """What to print, and whether all is well."""
    model, problems = open_with_transformers(folder)
    difference = largest_difference(program, folder, model)
    wrong_texts = tokenizer_differences(program, folder)
    words = [f"{type(model).__name__}, max difference {difference:.1e}"]
    if problems:
        words.append(f"weights: {problems}")
    if wrong_texts is None:
        words.append("no tokenizer")
    else:
        words.append(f"ids of {len(TEXTS) - len(wrong_texts)} of {len(TEXTS)} texts agree {wrong_texts or ''}".strip())
    return ", ".join(words), difference <= TOLERANCE and not problems and not wrong_texts


def main():
    program, *folders = sys.argv[1:]
    transformers.utils.logging.disable_progress_bar()
    n_failed = 0
    for folder in map(Path, folders):
        try:
            words, is_well = check(program, folder)
        except (AssertionError, subprocess.CalledProcessError, OSError, ValueError) as error:
            words, is_well = f"{error} {getattr(error, 'stderr', '') or ''}", False
        n_failed += not is_well
        print(f"{'ok  ' if is_well else 'FAIL'} {folder}: {words}")
    sys.exit(n_failed > 0 or not folders)


if __name__ == "__main__":
    main()
