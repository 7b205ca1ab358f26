"""Makes goldens/{checkpoints,training}/modernbert-*: small random ModernBERTs, with what HuggingFace transformers computes.

Run: python scripts/make_modernbert_goldens.py [FOLDER]    (goldens/ beside this folder when none is named)
What lies in each folder is said in make_goldens.py. Needs what that needs; made with torch 2.15.0, transformers 5.24.0.
Also written: crates/bertlab-explore/tests/it/module_trees/modernbert.json, if that folder is there.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers

import make_goldens
from make_goldens import EPSILON, LABELS, make_checkpoint, make_run

# Tokens see two neighbours on either side in the layers that slide: rows of 13 are longer than that.
SIZES = {"vocab_size": 61, "max_position_embeddings": 20, "local_attention": 4, "pad_token_id": 0}
SPECIAL = {"cls_token_id": 1, "bos_token_id": 1, "sep_token_id": 2, "eos_token_id": 2}
BIASES = {"attention_bias": True, "mlp_bias": True, "norm_bias": True, "classifier_bias": True}


def modernbert(width, heads, inner, layers=3, **more):
    sizes = {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": inner}
    return transformers.ModernBertConfig(num_hidden_layers=layers, **sizes, **SIZES, **SPECIAL, **more)


def theta(whole, local):
    return {
        "full_attention": {"rope_type": "default", "rope_theta": whole},
        "sliding_attention": {"rope_type": "default", "rope_theta": local},
    }


# Name, class, config.
CHECKPOINTS = [
    ("modernbert-masked-lm", "ModernBertForMaskedLM", modernbert(32, 2, 21)),
    (
        "modernbert-masked-lm-untied",
        "ModernBertForMaskedLM",
        modernbert(24, 3, 19, layers=2, tie_word_embeddings=False, decoder_bias=False, **BIASES),
    ),
    (
        "modernbert-sequence-classification",
        "ModernBertForSequenceClassification",
        modernbert(24, 2, 35, layers=4, rope_parameters=theta(90.0, 30.0), **LABELS),
    ),
    (
        "modernbert-sequence-mean",
        "ModernBertForSequenceClassification",
        modernbert(20, 5, 17, classifier_pooling="mean", layer_types=["sliding_attention"] * 3, **LABELS, **BIASES),
    ),
    ("modernbert-token-classification", "ModernBertForTokenClassification", modernbert(20, 2, 24, num_labels=5)),
    ("modernbert-question-answering", "ModernBertForQuestionAnswering", modernbert(16, 1, 23, layers=2)),
]

RUN = (
    "modernbert-sequence-classification",
    "ModernBertForSequenceClassification",
    modernbert(16, 2, 20, **LABELS),
    25,
    9,
    {
        "learning_rate": 1e-3, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 3,
        "num_train_epochs": 2, "weight_decay": 0.05, "layerwise_lr_decay": 0.8, **EPSILON,
    },
)

TREES = [
    ("Model", {}),
    ("ForSequenceClassification", {"mlp_dropout": 0.1, "embedding_dropout": 0.15, "classifier_dropout": 0.25}),
    ("ForTokenClassification", {"attention_dropout": 0.05}),
    ("ForQuestionAnswering", BIASES),
    ("ForMaskedLM", {}),
    ("ForMaskedLM", {"decoder_bias": False, "tie_word_embeddings": False, "classifier_activation": "relu"}),
]


def random_weights(model, random):
    """As for the other families, but smaller: a gate multiplies, and what bf16 rounds would grow from layer to layer."""
    larger_weights(model, random)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(0.7)


larger_weights = make_goldens.random_weights


def tree(head, changes):
    """What PyTorch prints of a model; without the bias of norms where there is one, as in make.py beside the file."""
    n_labels = 2 if head == "ForQuestionAnswering" else 3
    labels = {"id2label": {str(i): f"LABEL_{i}" for i in range(n_labels)}}
    config = modernbert(12, 2, 20, **labels, **changes)
    model = getattr(transformers, "ModernBert" + head)(config)
    config.architectures = ["ModernBert" + head]
    return {
        "config": json.loads(config.to_json_string()),
        "text": str(model).replace("elementwise_affine=True, bias=True", "elementwise_affine=True").splitlines(),
        "n_parameters": {
            path: sum(parameter.numel() for parameter in module.parameters())
            for path, module in model.named_modules()
        },
    }


def main():
    here = Path(__file__).resolve().parent.parent
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "goldens"
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    make_goldens.random_weights = random_weights
    make_goldens.layers_of = lambda model: model.base_model.layers
    for seed, (name, class_name, config) in enumerate(CHECKPOINTS, 201):
        folder = root / "checkpoints" / name
        shutil.rmtree(folder, ignore_errors=True)
        make_checkpoint(folder, seed, class_name, config, "safetensors")
    name, *run = RUN
    shutil.rmtree(root / "training" / name, ignore_errors=True)
    make_run(root / "training" / name, 301, *run)
    trees = here / "crates/bertlab-explore/tests/it/module_trees"
    if trees.is_dir():
        versions = {"transformers": transformers.__version__, "torch": torch.__version__}
        cases = {"versions": versions, "cases": [tree(*case) for case in TREES]}
        (trees / "modernbert.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
