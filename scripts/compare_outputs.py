#!/usr/bin/env python3
"""Runs a fixed list of commands with two builds of bertlab and says where their outputs differ.

    scripts/compare_outputs.py OLD NEW [--show N]

Every command runs with both programs, each in a folder of its own that holds the same inputs; later commands use what
earlier ones wrote. Compared are the exit code, standard output, standard error and every file that was written, byte
for byte, after times, speeds, dates and memory sizes were masked. The exit code is 1 where anything differs.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BERT = "goldens/bert-sequence-classification"
ROBERTA = "goldens/roberta-sequence-classification"
TRAIN = ["--num-train-epochs", "1", "--learning-rate", "1e-3", "--per-device-train-batch-size", "8", "--threads", "2"]
SENTENCES = ["I have a new CPU!", "I have a new Intel CPU!", "I have a new GPU!", "I have a new NVIDIA GPU!"]

COMMANDS = [
    [],
    ["inspect", "tiny"],
    ["inspect", "tiny", "--json"],
    ["inspect", "tiny", "--tree"],
    ["inspect", "tiny", "--module", "encoder.layer.0.attention.self.query"],
    ["inspect", "tiny", "--tensor", "embeddings.word_embeddings.weight"],
    ["inspect", "tiny", "--tensors", "--json"],
    ["inspect", ROBERTA, "--tree"],
    ["inspect", "goldens/distilbert-multilabel", "--tree", "--json"],
    ["tokenize", "tiny", "I have a new NVIDIA GPU!"],
    ["tokenize", "tiny", "Where is it?", "--pair", "It is here.", "--json"],
    ["tokenize", "tiny", "--input", "texts.txt", "--json"],
    ["decode", "tiny", "2", "10", "100", "200", "3"],
    ["decode", "tiny", "2", "10", "100", "3", "--skip-special-tokens"],
    ["embed", "tiny", *SENTENCES],
    ["embed", "tiny", *SENTENCES, "--json"],
    ["embed", "tiny", "--input", "texts.txt", "--pooling", "cls", "--output", "cls.npy"],
    ["embed", "tiny", "--input", "texts.txt", "--pooling", "tokens", "--output", "tokens.safetensors"],
    ["embed", "tiny", "--input", "reviews.csv", "--layers", "-4..-1", "--normalize", "--output", "layers.jsonl"],
    ["embed", "tiny", "--input", "reviews.csv", "--dtype", "bf16", "--output", "bf16.npy"],
    ["embed", "tiny", "--input", "reviews.csv", "--dtype", "int8", "--output", "int8.npy"],
    ["words", "tiny", "--word", "CPU@1,2", "Intel", "GPU", "NVIDIA", "--sentence", *SENTENCES],
    ["words", "tiny", "--word", "CPU@1,2", "GPU", "--sentence", *SENTENCES, "--json"],
    ["words", "tiny", "--word", "GPU", "new", "--layers", "all", "--sentence", *SENTENCES],
    ["fill-mask", "tiny", "This film is [MASK]."],
    ["fill-mask", "tiny", "This film is [MASK].", "--top-k", "10", "--json"],
    ["forward", BERT, "--inputs", f"{BERT}/golden.safetensors", "--outputs", "bert.safetensors", "--gradients"],
    ["forward", ROBERTA, "--inputs", f"{ROBERTA}/golden.safetensors", "--outputs", "roberta.safetensors", "--gradients"],
    ["forward", "goldens/distilbert-masked-lm-sinusoidal", "--inputs",
     "goldens/distilbert-masked-lm-sinusoidal/golden.safetensors", "--outputs", "mlm.safetensors", "--gradients"],
    ["forward", BERT, "--inputs", f"{BERT}/golden.safetensors", "--outputs", "bf16.safetensors", "--dtype", "bf16"],
    ["check", "tiny", "--train-file", "reviews.csv"],
    ["check", "tiny", "--train-file", "reviews.csv", "--test-file", "reviews.csv", "--json"],
    ["train", "tiny", "--train-file", "reviews.csv", "--validation-file", "more.csv", "--output-dir", "films", *TRAIN],
    ["train", "tiny", "--train-file", "reviews.csv", "--output-dir", "held", "--max-train-samples", "60", "--json", *TRAIN],
    ["train", "tiny", "--train-file", "tags.conll", "--validation-file", "tags.conll", "--output-dir", "tags", "--ignore-findings",
     *TRAIN],
    ["train", "tiny", "--train-file", "numbers.csv", "--validation-file", "numbers.csv", "--output-dir", "numbers",
     "--ignore-findings", *TRAIN],
    ["train", "tiny", "--train-file", "several.jsonl", "--validation-file", "several.jsonl", "--output-dir", "several",
     "--ignore-findings", *TRAIN],
    ["train", "tiny", "--train-file", "reviews.csv", "--validation-file", "more.csv", "--output-dir", "bf16", "--bf16",
     "--class-weights", "balanced", "--freeze-layers", "1", "--layerwise-lr-decay", "0.9", "--max-train-samples", "80",
     "--ignore-findings", *TRAIN],
    ["evaluate", "films/final_model", "--test-file", "more.csv"],
    ["evaluate", "films/final_model", "--test-file", "more.csv", "--json"],
    ["evaluate", "tags/final_model", "--test-file", "tags.conll", "--json"],
    ["evaluate", "numbers/final_model", "--test-file", "numbers.csv"],
    ["predict", "films/final_model", "A wonderful film.", "What a waste of time."],
    ["predict", "films/final_model", "--input", "texts.txt", "--json"],
    ["predict", "tags/final_model", "Angela Merkel spoke in New York."],
    ["predict", "tags/final_model", "Angela Merkel spoke in New York.", "--json"],
    ["predict", "numbers/final_model", "A short text.", "--json"],
    ["predict", "several/final_model", "A short text.", "--json"],
    ["predict", "tiny-sentiment", "A wonderful film.", "What a waste of time."],
    ["embed", "films/final_model", "--input", "texts.txt", "--output", "films.npy"],
    ["pretrain", "texts.txt", "--from", "tiny", "--max-length", "32", "--max-steps", "3", "--output-dir", "mlm",
     "--threads", "2"],
    ["evaluate", "mlm/final_model", "--test-file", "texts.txt", "--json"],
    ["vocab", "reviews.csv", "--vocab-size", "400", "--output-dir", "vocabulary"],
    ["convert", "films/final_model", "--dtype", "bf16", "--output-dir", "half"],
    ["convert", "goldens/roberta-masked-lm-f16-shards", "--output-dir", "whole"],
    ["lab", "--output-dir", "tour", "--threads", "2"],
    ["embed", "no-such-folder/model", "text", "--offline"],
    ["evaluate", "films/final_model", "--test-file", "broken.csv"],
    ["predict", "tiny", "text"],
    ["train", "tiny", "--train-file", "one-class.csv", "--output-dir", "refused", *TRAIN],
]

MASKS = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "<date>"),
    (re.compile(r"\b\d[\d,.]*(e[+-]?\d+)? ?(ms|µs|min|s|h)\b(?! rows)"), "<time>"),
    (re.compile(r"\b\d[\d,.]* ?(kB|MB|GB|KiB|MiB|GiB)\b"), "<size>"),
    (re.compile(r"\b[\d,.]+ (tokens|rows|steps|texts) (a|per) second"), "<speed>"),
    (re.compile(r'("[^"]*(runtime|per_second|seconds|_time|time_|peak|memory|pace|free)[^"]*"\s*:\s*)-?[\d.e+-]+'), r"\1<n>"),
    (re.compile(r"\d\d:\d\d(:\d\d)?"), "<clock>"),
]
TEXT = {".json", ".jsonl", ".txt", ".md", ".csv", ".html", ".svg", ""}


def prepare(folder):
    for golden in (ROOT / "goldens" / "checkpoints").iterdir():
        shutil.copytree(golden, folder / "goldens" / golden.name)
    rows = (ROOT / "assets" / "reviews" / "train.csv").read_text().splitlines(keepends=True)
    (folder / "reviews.csv").write_text("".join(rows[:161]))
    (folder / "more.csv").write_text("".join((ROOT / "assets" / "reviews" / "test.csv").read_text().splitlines(True)[:61]))
    (folder / "texts.txt").write_text("".join(f"The film number {i} was {'good' if i % 3 else 'long and dull'}.\n" * 1
                                              for i in range(40)))
    (folder / "tags.conll").write_text("\n".join(
        f"Anna B-PER\nSmith I-PER\nlives O\nin O\n{city} B-LOC\n. O\n" for city in ["Paris", "Rome", "York", "Bonn"] * 8))
    (folder / "numbers.csv").write_text("text,label\n" + "".join(f"A text of {i} words,{i / 7:.2f}\n" for i in range(40)))
    (folder / "several.jsonl").write_text("".join(
        json.dumps({"text": f"A row with number {i}.", "labels": [w for w, t in (("odd", i % 2), ("third", i % 3 == 0)) if t]})
        + "\n" for i in range(40)))
    (folder / "one-class.csv").write_text("text,label\n" + "".join(f"text {i},same\n" for i in range(30)))
    (folder / "broken.csv").write_text('text,label\n"never closed,pos\n')


def mask(text, folder, home):
    text = text.replace(str(folder), "<folder>").replace(str(home), "<home>")
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text


def content(path, folder, home):
    data = path.read_bytes()
    if path.suffix in TEXT:
        return mask(data.decode("utf-8", "replace"), folder, home)
    return data


class Side:
    def __init__(self, program, folder):
        self.program, self.folder, self.home = Path(program).resolve(), folder / "work", folder / "home"
        self.folder.mkdir(parents=True)
        self.home.mkdir()
        prepare(self.folder)
        self.seen = self.files()

    def files(self):
        return {p.relative_to(self.folder): (p.stat().st_mtime_ns, p.stat().st_size)
                for p in self.folder.rglob("*") if p.is_file()}

    def run(self, arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache"),
                       "NO_COLOR": "1", "LANG": "C.UTF-8"}
        done = subprocess.run([self.program, *arguments], cwd=self.folder, env=environment, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=600)
        now = self.files()
        written = sorted(p for p in now if self.seen.get(p) != now[p] and not re.search(r"tfevents|optimizer|\.lock$", p.name))
        self.seen = now
        out = {"exit code": str(done.returncode),
               "standard output": mask(done.stdout.decode("utf-8", "replace"), self.folder, self.home),
               "standard error": mask(done.stderr.decode("utf-8", "replace"), self.folder, self.home)}
        out.update({str(p): content(self.folder / p, self.folder, self.home) for p in written})
        return out


def show(name, old, new, n_lines):
    if isinstance(old, bytes) or isinstance(new, bytes):
        print(f"    {name}: other bytes ({len(old)} and {len(new)})")
        return
    print(f"    {name}:")
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), "old", "new", n=0, lineterm=""))[2:]
    for line in lines[:n_lines]:
        print("      " + line[:200])
    if len(lines) > n_lines:
        print(f"      ... {len(lines) - n_lines} more lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--show", type=int, default=6, help="lines of each difference")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old, new = Side(arguments.old, Path(folder) / "old"), Side(arguments.new, Path(folder) / "new")
        n_same = 0
        for command in COMMANDS:
            before, after = old.run(command), new.run(command)
            names = [n for n in dict.fromkeys([*before, *after]) if before.get(n) != after.get(n)]
            n_same += not names
            words = " ".join(command)
            print(f"{'same ' if not names else 'OTHER'} [{before['exit code']}] bertlab {words[:150]}", flush=True)
            for name in names:
                show(name, before.get(name, ""), after.get(name, ""), arguments.show)
        print(f"{n_same} of {len(COMMANDS)} commands give the same")
        sys.exit(n_same != len(COMMANDS))


main()
