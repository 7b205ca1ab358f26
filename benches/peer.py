"""HuggingFace transformers on PyTorch, timed: the other side of benches/against_pytorch.py.

    python benches/peer.py forward CONFIG_FOLDER BATCH SEQ [--bf16]
    python benches/peer.py train   CONFIG_FOLDER BATCH SEQ [--bf16]      forward, backward, AdamW
    python benches/peer.py lab     MODEL_FOLDER TRAIN.csv TEST.csv N_TRAIN N_EVAL [--best]
    python benches/peer.py embed   MODEL_FOLDER TEXTS.txt OUT.npy

Random weights of the config's shape, except for `embed`. `lab` is the university lab's Trainer (gradient
checkpointing, f32, 4 rows x 8 accumulations); with --best its fastest settings: bf16, no checkpointing, rows
grouped by length. One JSON line goes to standard output.
"""
import argparse
import csv
import json
import os
import resource
import tempfile
import time

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification


def median(times):
    return sorted(times)[len(times) // 2]


def timed(run, n_runs):
    """Milliseconds of each run, after two that are not counted."""
    times = []
    for _ in range(n_runs + 2):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return times[2:]


def autocast(a):
    return torch.autocast("cpu", torch.bfloat16, enabled=a.bf16)


def forward(a):
    model = AutoModel.from_config(AutoConfig.from_pretrained(a.model)).eval()
    ids = torch.randint(1000, model.config.vocab_size, (a.batch, a.seq))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode(), autocast(a):
        return {"median_ms": median(timed(lambda: model(**inputs), a.runs))}


def train(a):
    config = AutoConfig.from_pretrained(a.model, num_labels=2)
    model = AutoModelForSequenceClassification.from_config(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, weight_decay=0.01, fused=True)
    ids = torch.randint(1000, config.vocab_size, (a.batch, a.seq))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.arange(a.batch) % 2}

    def step():
        with autocast(a):
            loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return {"median_ms": median(timed(step, a.runs))}


def rows_of(path, n):
    csv.field_size_limit(1 << 30)
    with open(path, newline="", encoding="utf-8") as file:
        return [(row["text"], int(row["label"])) for row, _ in zip(csv.DictReader(file), range(n))]


def lab(a):
    from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(a.model, num_labels=2))

    def encoded(rows):
        return [{"input_ids": tokenizer(text, truncation=True, max_length=512)["input_ids"], "label": label}
                for text, label in rows]

    train_rows, eval_rows = encoded(rows_of(a.train, a.n_train)), encoded(rows_of(a.test, a.n_eval))
    settings = {"bf16": True, "train_sampling_strategy": "group_by_length"} if a.best else {}
    if not a.best:
        model.gradient_checkpointing_enable()
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(), learning_rate=2e-5, weight_decay=0.01, num_train_epochs=1,
        per_device_train_batch_size=4, per_device_eval_batch_size=4, gradient_accumulation_steps=8,
        eval_strategy="no", save_strategy="no", report_to="none", use_cpu=True, disable_tqdm=True, **settings)
    trainer = Trainer(model=model, args=arguments, train_dataset=train_rows, eval_dataset=eval_rows,
                      data_collator=DataCollatorWithPadding(tokenizer), processing_class=tokenizer)
    start = time.perf_counter()
    trainer.train()
    middle = time.perf_counter()
    trainer.evaluate()
    end = time.perf_counter()
    n_tokens = [sum(len(row["input_ids"]) for row in rows) for rows in (train_rows, eval_rows)]
    return {"train_seconds": middle - start, "eval_seconds": end - middle, "tokens": n_tokens}


def embed(a):
    import numpy
    from sentence_transformers import SentenceTransformer

    start = time.perf_counter()
    model = SentenceTransformer(a.model, device="cpu")
    with open(a.texts, encoding="utf-8") as file:
        texts = file.read().splitlines()
    numpy.save(a.out, model.encode(texts))
    return {"seconds": time.perf_counter() - start, "n_texts": len(texts)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = parser.add_subparsers(dest="job", required=True)
    for job in (forward, train, lab, embed):
        command = jobs.add_parser(job.__name__)
        command.set_defaults(run=job)
        command.add_argument("model")
        command.add_argument("--threads", type=int, default=os.cpu_count())
        command.add_argument("--runs", type=int, default=7)
        if job in (forward, train):
            command.add_argument("batch", type=int)
            command.add_argument("seq", type=int)
            command.add_argument("--bf16", action="store_true")
        elif job is lab:
            for name, kind in (("train", str), ("test", str), ("n_train", int), ("n_eval", int)):
                command.add_argument(name, type=kind)
            command.add_argument("--best", action="store_true")
        else:
            command.add_argument("texts")
            command.add_argument("out")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    torch.set_num_threads(chosen.threads)
    result = chosen.run(chosen)
    result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["torch"] = torch.__version__
    print(json.dumps(result))
