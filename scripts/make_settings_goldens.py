"""Makes crates/bertlab-train/tests/goldens/training_arguments-VERSION.json: a TrainingArguments as transformers writes it.

Run: python scripts/make_settings_goldens.py FOLDER
Needs transformers and torch; made with transformers 4.41.2, 4.57.1 and 5.24.0, whose names differ.
The settings are the same in all of them, each under the names of its version.
"""
import dataclasses
import pathlib
import sys

import transformers

settings = dict(
    output_dir="out",
    num_train_epochs=1,
    learning_rate=2e-5,
    per_device_train_batch_size=4,
    per_device_eval_batch_size=16,
    gradient_accumulation_steps=8,
    weight_decay=0.01,
    lr_scheduler_type="cosine",
    logging_steps=10,
    logging_first_step=True,
    save_strategy="epoch",
    save_total_limit=2,
    load_best_model_at_end=True,
    metric_for_best_model="accuracy",
    seed=7,
    dataloader_num_workers=2,
    report_to=["tensorboard"],
)
by_version = dict(
    logging_dir="out/runs",
    eval_strategy="epoch",
    warmup_ratio=0.1,
    group_by_length=True,
)
fields = {field.name for field in dataclasses.fields(transformers.TrainingArguments)}
settings |= {name: value for name, value in by_version.items() if name in fields}
if "group_by_length" not in fields:
    settings |= {"warmup_steps": 0.1, "train_sampling_strategy": "group_by_length"}
    settings.pop("warmup_ratio", None)

name = f"training_arguments-{transformers.__version__}.json"
text = transformers.TrainingArguments(**settings).to_json_string()
pathlib.Path(sys.argv[1], name).write_text(text + "\n")
