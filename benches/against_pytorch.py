"""bertlab beside HuggingFace transformers on PyTorch: the same job, in turn, on the same machine.

    python benches/against_pytorch.py --bert FOLDER --distilbert FOLDER [--rounds 3] [CASE ...]

FOLDERs need a config.json alone (weights are random then). Every round runs bertlab, then the peer, for every
case, so that a machine that grows slower or faster in between harms neither. CASE is a part of a case's name
(`train`, `8x512`, `bf16`); all when none. Cases that need data:

    --lab TRAIN.csv TEST.csv    the lab's fine-tuning, 64 + 64 rows (columns text, label)
    --embed MODEL TEXTS.txt     one vector per line, from file to file

Needs a release build (cargo build --release) and torch, transformers, accelerate (and sentence-transformers).
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FORWARD = [(8, 128), (8, 512), (1, 128), (1, 16)]


def run_json(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


class Benches:
    """The cases: name, and for each side a function that gives (seconds, peak MB)."""

    def __init__(self, a):
        self.a = a
        self.peer = [a.python, HERE / "peer.py"]

    def bench(self, model, batch, seq, train, bf16):
        ours = [self.a.bertlab, "bench", model, "--batch", batch, "--seq", seq, "--runs", self.a.runs, "--json", "--quiet",
                "--dtype", "bf16" if bf16 else "f32"] + (["--train"] if train else [])
        theirs = self.peer + ["train" if train else "forward", model, batch, seq, "--runs", self.a.runs] \
            + (["--bf16"] if bf16 else [])

        def side(command):
            result = run_json(command)
            return result["median_ms"] / 1e3, result["peak_rss_mb"]

        return lambda: side(ours), lambda: side(theirs)

    def lab(self, best):
        train, test = self.a.lab

        def ours():
            with tempfile.TemporaryDirectory() as folder:
                command = [self.a.bertlab, "train", self.a.distilbert, "--random-weights", "--train-file", train,
                           "--validation-file", test, "--sample", "first", "--allow-single-class",
                           "--max-train-samples", 64, "--max-eval-samples", 64, "--num-train-epochs", 1,
                           "--learning-rate", 2e-5, "--weight-decay", 0.01, "--per-device-train-batch-size", 4,
                           "--gradient-accumulation-steps", 8, "--save-strategy", "no", "--output-dir", folder, "--json",
                           "--quiet"] + (["--bf16"] if best else [])
                result = run_json(command)
                return result["train_seconds"] + result["eval_seconds"], result.get("peak_rss_mb")

        def theirs():
            result = run_json(self.peer + ["lab", self.a.distilbert, train, test, 64, 64] + (["--best"] if best else []))
            return result["train_seconds"] + result["eval_seconds"], result["peak_rss_mb"]

        return ours, theirs

    def embed(self):
        model, texts = self.a.embed

        def ours():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                command = [self.a.bertlab, "embed", model, "--input", texts, "--output", f"{folder}/v.npy", "--quiet"]
                subprocess.run([str(part) for part in command], check=True)
                return time.perf_counter() - start, None

        def theirs():
            with tempfile.TemporaryDirectory() as folder:
                result = run_json(self.peer + ["embed", model, texts, f"{folder}/v.npy"])
                return result["seconds"], result["peak_rss_mb"]

        return ours, theirs

    def cases(self):
        for bf16 in (False, True):
            dtype = "bf16" if bf16 else "f32"
            for batch, seq in FORWARD if self.a.bert else []:
                yield f"forward bert {batch}x{seq} {dtype}", self.bench(self.a.bert, batch, seq, False, bf16)
            if self.a.distilbert:
                yield f"train distilbert 4x384 {dtype}", self.bench(self.a.distilbert, 4, 384, True, bf16)
            if self.a.lab:
                yield f"lab {'best bf16' if bf16 else 'as written f32'}", self.lab(bf16)
        if self.a.embed:
            yield "embed", self.embed()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="CASE")
    parser.add_argument("--bert")
    parser.add_argument("--distilbert")
    parser.add_argument("--lab", nargs=2, metavar=("TRAIN", "TEST"))
    parser.add_argument("--embed", nargs=2, metavar=("MODEL", "TEXTS"))
    parser.add_argument("--bertlab", default=HERE.parent / "target/release/bertlab")
    parser.add_argument("--python", default=sys.executable, help="the Python that has torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=7, help="counted runs of one measurement")
    a = parser.parse_args()
    cases = [(name, sides) for name, sides in Benches(a).cases()
             if not a.wanted or any(word in name for word in a.wanted)]
    if not cases:
        sys.exit("no case: give --bert, --distilbert, --lab or --embed, and words that occur in a case's name")
    results = {name: [] for name, _ in cases}
    for number in range(a.rounds):
        for name, (ours, theirs) in cases:
            (mine, my_memory), (other, other_memory) = ours(), theirs()
            results[name].append((other / mine, mine, other, my_memory, other_memory))
            print(f"round {number + 1}  {name:28}  bertlab {mine:8.3f} s  PyTorch {other:8.3f} s  ratio {other / mine:5.2f}",
                  flush=True)
    print("\n| case | bertlab | PyTorch | ratio, pair by pair | peak memory |\n|---|---|---|---|---|")
    for name, pairs in results.items():
        pairs.sort()
        _, mine, other, *memory = pairs[len(pairs) // 2]
        ratios = ", ".join(f"{pair[0]:.2f}" for pair in pairs)
        memory = " / ".join("?" if mb is None else f"{mb:.0f} MB" for mb in memory)
        print(f"| {name} | {mine * 1e3:.0f} ms | {other * 1e3:.0f} ms | {ratios} | {memory} |")


if __name__ == "__main__":
    main()
