"""Makes trees.json: what PyTorch prints of HuggingFace's models, and how many parameters each module has.

Run with transformers 4.57.1 (eager attention); weights do not matter. PyTorch 2.15 writes ", bias=True" at the end of
every LayerNorm, which the PyTorch versions of that transformers' time, and of the lab, do not: it is taken out.
"""

import json
import pathlib

import torch
import transformers

ENCODER_MODELS = ["Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM"]
FAMILIES = {
    "bert": ("Bert", ENCODER_MODELS + ["ForPreTraining"]),
    "distilbert": ("DistilBert", ENCODER_MODELS),
    "roberta": ("Roberta", ENCODER_MODELS),
}
DISTILBERT = dict(
    dim=12, n_layers=2, n_heads=2, hidden_dim=20, vocab_size=31, max_position_embeddings=17, dropout=0.15,
    attention_dropout=0.05, qa_dropout=0.3, seq_classif_dropout=0.25, pad_token_id=0,
)
BERT = dict(
    hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, vocab_size=31,
    max_position_embeddings=17, hidden_dropout_prob=0.15, attention_probs_dropout_prob=0.05, classifier_dropout=0.25,
    layer_norm_eps=1e-12, type_vocab_size=2, pad_token_id=0,
)
ROBERTA = BERT | dict(layer_norm_eps=1e-5, type_vocab_size=1, pad_token_id=1)
SETTINGS = {"bert": BERT, "distilbert": DISTILBERT, "roberta": ROBERTA}


def case(family, head, changes):
    prefix = FAMILIES[family][0]
    n_labels = 2 if head == "ForQuestionAnswering" else 3
    settings = SETTINGS[family] | changes | {"id2label": {str(i): f"LABEL_{i}" for i in range(n_labels)}}
    config = getattr(transformers, prefix + "Config")(**settings)
    config._attn_implementation = "eager"
    model = getattr(transformers, prefix + head)(config)
    return {
        "config": {"model_type": family, "architectures": [prefix + head]} | settings,
        "text": str(model).replace("elementwise_affine=True, bias=True", "elementwise_affine=True").splitlines(),
        "n_parameters": {
            path: sum(parameter.numel() for parameter in module.parameters())
            for path, module in model.named_modules()
        },
    }


cases = [case(family, head, {}) for family, (_, heads) in FAMILIES.items() for head in heads]
cases.append(case("bert", "ForPreTraining", {"hidden_act": "gelu_new", "num_hidden_layers": 1}))
cases.append(case("distilbert", "ForMaskedLM", {"activation": "relu", "n_layers": 1, "dropout": 0.0}))
cases.append(case("bert", "ForMaskedLM", {"tie_word_embeddings": False}))
versions = {"transformers": transformers.__version__, "torch": torch.__version__}
file = pathlib.Path(__file__).with_name("trees.json")
file.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
