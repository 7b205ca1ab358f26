"""Makes goldens/masked-lm/: how HuggingFace turns plain texts into rows for masked-language-model training.

Run: python scripts/make_masked_lm_goldens.py [FOLDER]    (goldens/masked-lm beside this folder when none is named)
Needs transformers; its version is written into the file. Nothing is random.

FOLDER holds vocab.txt, tokenizer_config.json and rows.json: the texts; for several lengths the blocks that the functions
`tokenize_function` and `group_texts` of HuggingFace's example run_mlm.py make of them (written anew here after their
description: every text with its special tokens, end to end, cut into blocks, the remainder dropped), and the rows of
its line_by_line; and rows cut on the left (`truncation_side`).
"""
import json
import sys
from itertools import chain
from pathlib import Path

import transformers

PIECES = "[PAD] [UNK] [CLS] [SEP] [MASK] the a river bank of my loan is long . , ! cpu new i have un ##aff ##able ##s ' don t"
TEXTS = [
    "The bank of the river is long.",
    "I have a new CPU!",
    "unaffable rivers, unaffable banks",
    "My loan is long. Don't!",
    "xyzzy is unknown, [MASK] is not.",
    "a",
    "The river, the bank, the loan, the CPU: the the the the the the the the the",
]
LENGTHS = [8, 13, 64]


def rows_of(encodings):
    names = ("input_ids", "token_type_ids", "special_tokens_mask")
    return [dict(zip(names, row)) for row in zip(*(encodings[name] for name in names))]


def blocks(tokenizer, length):
    encodings = tokenizer(TEXTS, return_special_tokens_mask=True)
    joined = {name: list(chain(*rows)) for name, rows in encodings.items()}
    n_tokens = len(joined["input_ids"]) // length * length
    return rows_of({name: [row[i : i + length] for i in range(0, n_tokens, length)] for name, row in joined.items()})


def lines(tokenizer, length):
    return rows_of(tokenizer(TEXTS, truncation=True, max_length=length, return_special_tokens_mask=True))


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "goldens/masked-lm")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(PIECES.split()) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True}) + "\n")
    open_tokenizer = lambda **more: transformers.AutoTokenizer.from_pretrained(folder, **more)
    right, left = open_tokenizer(), open_tokenizer(truncation_side="left")
    made = {
        "made_with": f"transformers {transformers.__version__}",
        "texts": TEXTS,
        "blocks": {length: blocks(right, length) for length in LENGTHS},
        "lines": {length: lines(right, length) for length in LENGTHS},
        "lines_left": {length: lines(left, length) for length in LENGTHS},
    }
    (folder / "rows.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
