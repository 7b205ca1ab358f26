"""Makes goldens/training/NAME/hf_trainer_state.json: what HuggingFace's own Trainer writes for the runs.

Run: python scripts/make_state_goldens.py [FOLDER]    (goldens/ beside this folder when none is named)
Needs torch, transformers and accelerate. Losses of the runs are in run.json (from a plain loop, weighted by rows); here
only the state's keys, its counts of tokens and operations, and the results files' keys are taken from the Trainer.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import Trainer, TrainingArguments


def collate(pad_token_id):
    """Pads to the longest of a batch, labels of tokens with -100."""

    def pad(rows, key, value):
        longest = max(len(row["input_ids"]) for row in rows)
        return torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in rows])

    def collator(rows):
        is_per_token = isinstance(rows[0]["labels"], list)
        masks = [{"input_ids": row["input_ids"], "mask": [1] * len(row["input_ids"])} for row in rows]
        labels = pad(rows, "labels", -100) if is_per_token else torch.tensor([row["labels"] for row in rows])
        return {"input_ids": pad(rows, "input_ids", pad_token_id), "attention_mask": pad(masks, "mask", 0), "labels": labels}

    return collator


def run(folder):
    golden = json.loads((folder / "run.json").read_text())
    model = getattr(transformers, golden["kind"]).from_pretrained(folder / "init")
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, train_sampling_strategy="sequential", logging_steps=1, save_strategy="epoch", use_cpu=True,
            include_num_input_tokens_seen="non_padding", eval_strategy="epoch" if golden["eval"] else "no",
            report_to="none", remove_unused_columns=False, disable_tqdm=True, **golden["args"])
        trainer = Trainer(
            model=model, args=arguments, train_dataset=golden["train"], eval_dataset=golden["eval"] or None,
            data_collator=collate(model.config.pad_token_id))
        metrics = trainer.train().metrics
        trainer.save_metrics("train", {**metrics, "train_samples": len(golden["train"])})
        if golden["eval"]:
            trainer.save_metrics("eval", {**trainer.evaluate(), "eval_samples": len(golden["eval"])})
        trainer.save_state()
        state = json.loads((Path(scratch) / "trainer_state.json").read_text())
        log = state.pop("log_history")
        state.pop("best_model_checkpoint")
        results = {file.name: sorted(json.loads(file.read_text())) for file in sorted(Path(scratch).glob("*_results.json"))}
    log_keys = {key: sorted(record) for record in log for key in ("loss", "eval_loss", "train_loss") if key in record}
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    golden = {"versions": versions, "state": state, "log_keys": log_keys, "results_keys": results}
    (folder / "hf_trainer_state.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "goldens"
    for run_file in sorted(folder.glob("training/*/run.json")):
        run(run_file.parent)


if __name__ == "__main__":
    main()
