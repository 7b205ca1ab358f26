"""Makes goldens/resume/: runs of HuggingFace's own Trainer with a checkpoint in their middle, and the weights that they end in.

Run: python scripts/make_resume_goldens.py [FOLDER]    (goldens/resume beside this folder when none is named)
Needs torch, transformers and accelerate; their versions are written into run.json, with the seed.

FOLDER/NAME holds checkpoint-N/ as the Trainer wrote it, final.safetensors, and run.json: rows, arguments, the whole log and
the names of optimizer.pt's parameters. Rows come in file order and nothing drops out, so that both runs see the same.
rng_state.pth and training_args.bin are left out: torch's generators and a Python object, which nothing here reads.
"""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import Trainer, TrainingArguments

from make_goldens import LABELS, bert, distilbert, roberta
from make_state_goldens import collate

# Name, class, config, arguments. Each checkpoint lies within an epoch: one in the warmup, two after it.
RUNS = [
    ("bert-sequence-classification", "BertForSequenceClassification", bert(8, 2, 12, layers=2, **LABELS),
     {"warmup_steps": 6, "eval_strategy": "steps", "eval_steps": 2, "metric_for_best_model": "loss"}),
    ("distilbert-masked-lm", "DistilBertForMaskedLM", distilbert(8, 2, 12, layers=1), {"warmup_steps": 2}),
    ("roberta-token-classification", "RobertaForTokenClassification", roberta(8, 2, 12, layers=1, **LABELS),
     {"warmup_steps": 1, "lr_scheduler_type": "cosine", "adam_beta2": 0.98}),
]
COMMON = {
    "learning_rate": 0.01, "weight_decay": 0.1, "adam_epsilon": 1e-6, "per_device_train_batch_size": 4, "max_steps": 9,
    "logging_steps": 2, "save_steps": 5,
}
N_ROWS, N_EVAL_ROWS = 14, 5


def rows(random, n, class_name):
    def row():
        length = int(torch.randint(4, 12, (), generator=random))
        ids = torch.randint(5, 61, (length,), generator=random).tolist()
        if "Sequence" in class_name:
            return {"input_ids": ids, "labels": int(torch.randint(3, (), generator=random))}
        labels = torch.randint(3 if "Token" in class_name else 61, (length,), generator=random)
        ignored = torch.rand(length, generator=random) < 0.3
        ignored[0] = False
        return {"input_ids": ids, "labels": labels.masked_fill(ignored, -100).tolist()}

    return [row() for _ in range(n)]


def parameter_names(trainer):
    """Names by the optimizer's indices."""
    by_id = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    return [by_id[id(parameter)] for group in trainer.optimizer.param_groups for parameter in group["params"]]


def make(folder, seed, class_name, config, arguments):
    transformers.set_seed(seed)
    model = getattr(transformers, class_name)(config)
    random = torch.Generator().manual_seed(seed)
    train, evaluation = rows(random, N_ROWS, class_name), rows(random, N_EVAL_ROWS, class_name)
    arguments = {**COMMON, **arguments}
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model, train_dataset=train, eval_dataset=evaluation, data_collator=collate(config.pad_token_id),
            args=TrainingArguments(
                output_dir=scratch, train_sampling_strategy="sequential", use_cpu=True, report_to="none",
                remove_unused_columns=False, disable_tqdm=True, **arguments))
        trainer.train()
        name = f"checkpoint-{arguments['save_steps']}"
        shutil.copytree(Path(scratch) / name, folder / name, ignore=shutil.ignore_patterns("rng_state.pth", "training_args.bin"))
        shutil.copy(Path(scratch) / f"checkpoint-{arguments['max_steps']}" / "model.safetensors", folder / "final.safetensors")
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    made = {
        "versions": versions, "seed": seed, "kind": "mlm" if "MaskedLM" in class_name else class_name, "args": arguments,
        "train": train, "eval": evaluation if "eval_strategy" in arguments else [], "log": trainer.state.log_history,
        "parameters": parameter_names(trainer)}
    (folder / "run.json").write_text(json.dumps(made) + "\n")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "goldens" / "resume"
    for seed, (name, class_name, config, arguments) in enumerate(RUNS, start=201):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
        make(folder / name, seed, class_name, config, arguments)


if __name__ == "__main__":
    main()
