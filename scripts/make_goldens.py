"""Makes goldens/: small random checkpoints and training runs, with what HuggingFace transformers computes on them.

Run: python scripts/make_goldens.py [FOLDER]    (goldens/ beside this folder when none is named)
Needs torch, transformers, safetensors and numpy; the versions used are written into goldens/README.md, with the seeds.

goldens/checkpoints/NAME holds a checkpoint and golden.safetensors: the inputs (input_ids, attention_mask, labels, ...),
every output by its HuggingFace name (logits, loss, hidden_states.I, attentions.I, ...) and grad.NAME of every parameter.
goldens/training/NAME holds init/, final/ and run.json: the rows, the arguments, and the log of a plain PyTorch loop.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import safetensors
import torch
import transformers
from safetensors.torch import save_file
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

SIZES = {"vocab_size": 61, "max_position_embeddings": 20}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
NO_DISTIL_DROPOUT = {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0, "qa_dropout": 0.0}
LABELS = {"id2label": {0: "bad", 1: "middling", 2: "good"}, "label2id": {"bad": 0, "middling": 1, "good": 2}}


def bert(width, heads, inner, layers=2, **more):
    sizes = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": inner}
    return transformers.BertConfig(num_hidden_layers=layers, **sizes, **SIZES, **NO_DROPOUT, **more)


def roberta(width, heads, inner, layers=2, **more):
    sizes = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": inner, "type_vocab_size": 1}
    config = {"pad_token_id": 1, "num_hidden_layers": layers, **sizes, **SIZES, **NO_DROPOUT, **more}
    return transformers.RobertaConfig(**config)


def distilbert(width, heads, inner, layers=2, **more):
    sizes = {"dim": width, "n_heads": heads, "hidden_dim": inner, "n_layers": layers}
    return transformers.DistilBertConfig(**sizes, **SIZES, **NO_DISTIL_DROPOUT, **more)


# Name, class, config, how the weights are stored. Widths that are and are not multiples of 16, odd inner widths.
CHECKPOINTS = [
    ("bert-sequence-classification", "BertForSequenceClassification", bert(24, 3, 37, **LABELS), "safetensors"),
    ("bert-masked-lm", "BertForMaskedLM", bert(32, 2, 48), "safetensors"),
    ("bert-token-classification", "BertForTokenClassification", bert(20, 5, 33, num_labels=5), "safetensors"),
    ("bert-question-answering", "BertForQuestionAnswering", bert(16, 1, 40), "safetensors"),
    ("bert-pretraining", "BertForPreTraining", bert(28, 4, 31), "safetensors"),
    ("bert-regression", "BertForSequenceClassification", bert(16, 2, 50, layers=1, num_labels=1), "safetensors"),
    ("bert-gelu-new-zip", "BertModel", bert(24, 2, 35, hidden_act="gelu_new", layer_norm_eps=1e-5), "zip"),
    ("bert-relu-legacy", "BertModel", bert(20, 2, 41, hidden_act="relu"), "legacy"),
    ("distilbert-sequence-classification", "DistilBertForSequenceClassification", distilbert(24, 4, 45), "safetensors"),
    (
        "distilbert-multilabel",
        "DistilBertForSequenceClassification",
        distilbert(16, 2, 33, num_labels=4, problem_type="multi_label_classification"),
        "zip",
    ),
    (
        "distilbert-masked-lm-sinusoidal",
        "DistilBertForMaskedLM",
        distilbert(20, 2, 30, layers=1, sinusoidal_pos_embds=True),
        "safetensors",
    ),
    ("distilbert-question-answering", "DistilBertForQuestionAnswering", distilbert(12, 3, 20, layers=3), "safetensors"),
    ("roberta-sequence-classification", "RobertaForSequenceClassification", roberta(24, 2, 39), "safetensors"),
    ("roberta-masked-lm-f16-shards", "RobertaForMaskedLM", roberta(20, 4, 28), "f16-shards"),
]


def random_weights(model, random):
    """Weights far from their usual beginning, so that nothing is hidden by a zero bias or a one in a norm."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            noise = torch.from_numpy(random.standard_normal(tuple(parameter.shape)).astype(np.float32))
            if parameter.dim() > 1:
                parameter.copy_(noise * (1.2 / parameter.shape[-1] ** 0.5))
            elif "norm" in name.lower() and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.1 * noise)


def new_model(class_name, config, random):
    config._attn_implementation = "eager"
    config.architectures = [class_name]
    model = getattr(transformers, class_name)(config).eval()
    if getattr(config, "sinusoidal_pos_embds", False):
        # Computed, not learned: as DistilBERT's code means it, though since 5.0 the table is learned on by accident.
        model.base_model.embeddings.position_embeddings.weight.requires_grad_(False)
    random_weights(model, random)
    return model


def mask_of(model, shape):
    """A full row, one cut short, one padded on the left, one of two tokens; where HuggingFace's numbers mean something.

    A pooler takes column 0 even where that is padding, and question answering counts padding among the possible answers.
    """
    kind, mask = type(model).__name__, torch.ones(shape, dtype=torch.int64)
    if not kind.endswith("ForQuestionAnswering"):
        mask[1, 9:], mask[3, 2:] = 0, 0
        if kind.endswith(("ForMaskedLM", "ForTokenClassification")):
            mask[2, :4] = 0
    return mask


def inputs_of(model, random):
    """Four rows of 13 columns."""
    config, shape = model.config, (4, 13)
    mask = mask_of(model, shape)
    ids = torch.from_numpy(random.integers(4, config.vocab_size, shape))
    ids[mask == 0] = config.pad_token_id
    inputs = {"input_ids": ids, "attention_mask": mask}
    if config.model_type == "bert":
        inputs["token_type_ids"] = (torch.arange(13) >= 6).to(torch.int64).expand(shape).contiguous()
    inputs.update(labels_of(model, random, mask))
    return inputs


def labels_of(model, random, mask):
    kind, config, n_rows = type(model).__name__, model.config, mask.shape[0]
    whole = lambda high, shape: torch.from_numpy(random.integers(0, high, shape))
    if kind.endswith("ForSequenceClassification"):
        if config.problem_type == "multi_label_classification":
            return {"labels": whole(2, (n_rows, config.num_labels)).float()}
        if config.num_labels == 1:
            return {"labels": torch.from_numpy(random.standard_normal(n_rows)).float()}
        return {"labels": whole(config.num_labels, n_rows)}
    if kind.endswith("ForQuestionAnswering"):
        # Among them an answer that ends before it starts.
        return {"start_positions": torch.tensor([3, 8, 5, 1]), "end_positions": torch.tensor([9, 2, 5, 1])}
    if kind.endswith("Model"):
        return {}
    n_classes = config.num_labels if kind.endswith("ForTokenClassification") else config.vocab_size
    labels = whole(n_classes, tuple(mask.shape))
    is_ignored = (mask == 0) | torch.from_numpy(random.random(tuple(mask.shape)) < 0.5)
    labels[is_ignored] = -100
    if kind.endswith("ForPreTraining"):
        return {"labels": labels, "next_sentence_label": whole(2, n_rows)}
    return {"labels": labels}


def golden_of(model, inputs):
    output = model(**inputs, output_hidden_states=True, output_attentions=True)
    arrays = dict(inputs)
    for name, value in output.items():
        if name in ("hidden_states", "attentions"):
            arrays.update({f"{name}.{index}": array for index, array in enumerate(value)})
        elif torch.is_tensor(value):  # What is left is a cache for decoders.
            arrays[name] = value
    if output.get("loss") is not None:
        output["loss"].backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        arrays.update({f"grad.{name}": gradient for name, gradient in gradients.items()})
    return {name: array.detach().clone().contiguous() for name, array in arrays.items()}


def with_old_names(state):
    """The names that checkpoints of 2019 have."""
    state = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
        for name, array in state.items()
    }
    state["embeddings.position_ids"] = torch.arange(SIZES["max_position_embeddings"]).unsqueeze(0)
    return state


def save(model, folder, form):
    if form == "safetensors":
        model.save_pretrained(folder)
    elif form == "f16-shards":
        model.half().save_pretrained(folder, max_shard_size="12KB")
        model.float()
    else:
        model.config.save_pretrained(folder)
        state = model.state_dict() if form == "zip" else with_old_names(model.state_dict())
        torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=form == "zip")
    (folder / "generation_config.json").unlink(missing_ok=True)


def make_checkpoint(folder, seed, class_name, config, form):
    random = np.random.default_rng(seed)
    model = new_model(class_name, config, random)
    folder.mkdir(parents=True)
    save(model, folder, form)  # Before the reference is computed: f16 rounds the weights.
    save_file(golden_of(model, inputs_of(model, random)), folder / "golden.safetensors")
    counts = {"tensors": len(list(model.parameters())), "parameters": sum(p.numel() for p in model.parameters())}
    (folder / "golden.json").write_text(json.dumps(counts) + "\n")


# The gradient of the keys' bias is nothing but rounding: an epsilon above it keeps Adam from making whole steps of that.
EPSILON = {"adam_epsilon": 1e-6}

# Name, class, config, number of rows, number of evaluation rows, arguments. The last accumulation of each is short, and
# its last micro-batch too.
RUNS = [
    (
        "distilbert-uneven-accumulation",
        "DistilBertForSequenceClassification",
        distilbert(16, 2, 24, **LABELS),
        25,
        7,
        {
            "learning_rate": 2e-3, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 3,
            "num_train_epochs": 2, "weight_decay": 0.05, "warmup_steps": 2, **EPSILON,
        },
    ),
    (
        "bert-token-classification",
        "BertForTokenClassification",
        bert(20, 2, 28, layers=1, num_labels=4),
        14,
        0,
        {
            "learning_rate": 1e-3, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
            "num_train_epochs": 3, "weight_decay": 0.01, "gradient_checkpointing": True, **EPSILON,
        },
    ),
    (
        "roberta-regression",
        "RobertaForSequenceClassification",
        roberta(16, 4, 20, layers=1, num_labels=1),
        11,
        0,
        {
            "learning_rate": 3e-3, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 3, "max_steps": 5,
            **EPSILON,
        },
    ),
    (
        "bert-frozen-and-weighted",
        "BertForSequenceClassification",
        bert(16, 2, 24, layers=3, **LABELS),
        25,
        9,
        {
            "learning_rate": 2e-3, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 3,
            "num_train_epochs": 2, "weight_decay": 0.05, "label_smoothing_factor": 0.1, "freeze_embeddings": True,
            "freeze_layers": 1, "layerwise_lr_decay": 0.6, "class_weights": [2.0, 0.5, 1.25], **EPSILON,
        },
    ),
    (
        "distilbert-multilabel-balanced",
        "DistilBertForSequenceClassification",
        distilbert(16, 4, 20, num_labels=3, problem_type="multi_label_classification"),
        14,
        9,
        {
            "learning_rate": 1e-3, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
            "num_train_epochs": 3, "weight_decay": 0.01, "freeze_layers": 1, "layerwise_lr_decay": 0.5,
            "class_weights": "balanced", **EPSILON,
        },
    ),
    (
        "roberta-tokens-balanced",
        "RobertaForTokenClassification",
        roberta(16, 2, 20, layers=1, num_labels=3),
        11,
        9,
        {
            "learning_rate": 1e-3, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 2,
            "num_train_epochs": 2, "freeze_embeddings": True, "class_weights": "balanced", **EPSILON,
        },
    ),
]


def rows_of(model, n_rows, random):
    """Rows of 3 to 14 tokens whose label can be guessed from their tokens."""
    config, rows = model.config, []
    for _ in range(n_rows):
        ids = random.integers(4, config.vocab_size, random.integers(3, 15))
        if type(model).__name__.endswith("ForTokenClassification"):
            labels = [-100 if random.random() < 0.2 else int(i) % config.num_labels for i in ids]
        elif config.num_labels == 1:
            labels = round(float(ids.mean() / config.vocab_size), 4)
        elif config.problem_type == "multi_label_classification":
            labels = [float((ids % (label + 3) == 0).sum() > 1) for label in range(config.num_labels)]
        else:
            labels = int(ids[0]) % config.num_labels
        rows.append({"input_ids": [int(i) for i in ids], "labels": labels})
    return rows


def class_weights_of(model, rows, asked):
    """As scikit-learn balances classes, and PyTorch's documentation the positives of each label; or as given."""
    if asked != "balanced":
        return asked if asked is None else torch.tensor(asked)
    labels = [np.array(row["labels"]) for row in rows]
    if model.config.problem_type == "multi_label_classification":
        n_positive = np.stack(labels).sum(axis=0)
        return torch.tensor((len(rows) - n_positive) / n_positive, dtype=torch.float32)
    labels = np.concatenate([np.atleast_1d(row) for row in labels])
    counts = np.bincount(labels[labels >= 0], minlength=model.config.num_labels)
    return torch.tensor(counts.sum() / (len(counts) * counts), dtype=torch.float32)


def sum_of_weights(rows, weights):
    """What a mean over rows of one class each is divided by."""
    return sum(1.0 if weights is None else weights[row["labels"]].item() for row in rows)


def mean_loss(model, rows, weights=None, smoothing=0.0):
    """The mean over rows, or over the labelled tokens of these rows, each counting as its class."""
    length = max(len(row["input_ids"]) for row in rows)
    pad = lambda values, filler: values + [filler] * (length - len(values))
    ids = torch.tensor([pad(row["input_ids"], model.config.pad_token_id) for row in rows])
    mask = torch.tensor([pad([1] * len(row["input_ids"]), 0) for row in rows])
    logits = model(input_ids=ids, attention_mask=mask).logits
    if model.config.problem_type == "multi_label_classification":
        labels = torch.tensor([row["labels"] for row in rows])
        return binary_cross_entropy_with_logits(logits, labels, pos_weight=weights)
    if isinstance(rows[0]["labels"], list):
        labels = torch.tensor([pad(row["labels"], -100) for row in rows])
        return cross_entropy(logits.flatten(0, 1), labels.flatten(), weights, label_smoothing=smoothing)
    labels = torch.tensor([row["labels"] for row in rows])
    if labels.dtype == torch.int64:
        return cross_entropy(logits, labels, weights, label_smoothing=smoothing)
    return mse_loss(logits.squeeze(1), labels)


def layers_of(model):
    base = model.base_model
    return base.transformer.layer if model.config.model_type == "distilbert" else base.encoder.layer


def freeze(model, arguments):
    frozen = list(layers_of(model)[: arguments.get("freeze_layers", 0)])
    if arguments.get("freeze_embeddings"):
        frozen.append(model.base_model.embeddings)
    for module in frozen:
        module.requires_grad_(False)


def depth_of(model, parameter):
    """How far below the top layer a weight stands; 0 in the head."""
    layers = list(layers_of(model))
    for index, module in enumerate([*reversed(layers), model.base_model.embeddings]):
        if any(parameter is one for one in module.parameters()):
            return index
    return 0


def optimizer_of(model, arguments):
    """AdamW as in HuggingFace's Trainer: biases and norms do not decay; each weight with the rate of its layer."""
    is_kept = lambda name: name.endswith("bias") or "norm" in name.lower()
    decay, rate = arguments.get("layerwise_lr_decay", 1.0), arguments["learning_rate"]
    groups = [{"params": [], "lr": rate}]  # The first tells the log its rate.
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            weight_decay = 0.0 if is_kept(name) else arguments.get("weight_decay", 0.0)
            factor = decay ** depth_of(model, parameter)
            groups.append({"params": [parameter], "lr": rate * factor, "weight_decay": weight_decay})
    return torch.optim.AdamW(groups, lr=arguments["learning_rate"], betas=(0.9, 0.999), eps=arguments["adam_epsilon"])


def train(model, rows, arguments):
    """Every row of an accumulation weighs the same, however many its micro-batch has; gives the log."""
    size, accumulation = arguments["per_device_train_batch_size"], arguments["gradient_accumulation_steps"]
    updates = [rows[start : start + size * accumulation] for start in range(0, len(rows), size * accumulation)]
    n_steps = arguments.get("max_steps") or arguments["num_train_epochs"] * len(updates)
    freeze(model, arguments)
    optimizer, log = optimizer_of(model, arguments), []
    weights = class_weights_of(model, rows, arguments.get("class_weights"))
    smoothing = arguments.get("label_smoothing_factor", 0.0)
    is_row = isinstance(rows[0]["labels"], int)
    warmup = arguments.get("warmup_steps", 0)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, n_steps)
    for step in range(n_steps):
        update = updates[step % len(updates)]
        optimizer.zero_grad()
        total = 0.0
        for start in range(0, len(update), size):
            part = update[start : start + size]
            share = len(part) / len(update)
            if is_row:
                share = sum_of_weights(part, weights) / sum_of_weights(update, weights)
            loss = mean_loss(model, part, weights, smoothing) * share
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        rate = schedule.get_last_lr()[0]
        log.append({"step": step + 1, "loss": total, "grad_norm": norm, "learning_rate": rate})
        optimizer.step()
        schedule.step()
    return log


def eval_loss(model, rows, eval_rows, arguments, batch_size=8):
    """As the Trainer has it: the loss of training, by batches, each counting its rows."""
    weights = class_weights_of(model, rows, arguments.get("class_weights"))
    batches = [eval_rows[start : start + batch_size] for start in range(0, len(eval_rows), batch_size)]
    smoothing = arguments.get("label_smoothing_factor", 0.0)
    return sum(mean_loss(model, batch, weights, smoothing).item() * len(batch) for batch in batches) / len(eval_rows)


def make_run(folder, seed, class_name, config, n_rows, n_eval_rows, arguments):
    random = np.random.default_rng(seed)
    model = new_model(class_name, config, random)
    rows, eval_rows = rows_of(model, n_rows, random), rows_of(model, n_eval_rows, random)
    save(model, folder / "init", "safetensors")
    log = train(model, rows, arguments)
    if eval_rows:
        log.append({"step": log[-1]["step"], "eval_loss": eval_loss(model, rows, eval_rows, arguments)})
    save(model, folder / "final", "safetensors")
    run = {"args": arguments, "kind": class_name, "train": rows, "eval": eval_rows, "log": log}
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in run.items())
    (folder / "run.json").write_text("{\n" + lines + "\n}\n")


def describe(root, seeds):
    versions = {module.__name__: module.__version__ for module in (torch, transformers, safetensors, np)}
    lines = [
        "# Goldens",
        "",
        "Small random checkpoints and training runs with the numbers that HuggingFace transformers computes on them,",
        "made by `python scripts/make_goldens.py`; that file says what lies in each folder. float32, CPU, eager attention,",
        "no dropout. The tests of `crates/bertlab` compare with them.",
        "",
        "Made with " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "",
        "| folder | class | weights | seed |",
        "|---|---|---|---|",
        *[f"| {' | '.join(map(str, row))} |" for row in seeds],
        "",
    ]
    (root / "README.md").write_text("\n".join(lines))


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "goldens"
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for part in ("checkpoints", "training"):
        shutil.rmtree(root / part, ignore_errors=True)
    seeds = []
    for seed, (name, class_name, config, form) in enumerate(CHECKPOINTS, start=1):
        make_checkpoint(root / "checkpoints" / name, seed, class_name, config, form)
        seeds.append((f"checkpoints/{name}", class_name, form, seed))
    for seed, (name, class_name, *rest) in enumerate(RUNS, start=101):
        make_run(root / "training" / name, seed, class_name, *rest)
        seeds.append((f"training/{name}", class_name, "safetensors", seed))
    describe(root, seeds)


if __name__ == "__main__":
    main()
