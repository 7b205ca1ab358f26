"""Makes crates/bertlab-train/tests/goldens/tagging.json: sequences of tags (written by hand, and seeded) and what seqeval says to them.

Run: python scripts/make_tagging_goldens.py > crates/bertlab-train/tests/goldens/tagging.json
Needs seqeval, numpy and scikit-learn; the versions used are written into the file.
A value that has no meaning is null: seqeval says 0 there. `strict` is seqeval's mode="strict", scheme=IOB2.
"""
import importlib.metadata
import json
import warnings

import numpy as np
import seqeval.metrics as metrics
import sklearn.metrics
from seqeval.metrics import sequence_labeling, v1
from seqeval.scheme import IOB2, Entities

warnings.filterwarnings("ignore")
random = np.random.default_rng(20240218)


def ratio(value, denominator):
    """seqeval's figure, or null where it has nothing to divide by."""
    return float(value) if denominator > 0 else None


def scores(wanted, found, is_strict):
    """Per type, and together, with null for what is undefined."""
    if is_strict:
        # What seqeval's own scores call with mode="strict", scheme=IOB2.
        def ask(wanted, found, average):
            return v1.precision_recall_fscore_support(wanted, found, average=average, scheme=IOB2)

        names = sorted(Entities(wanted, IOB2, False).unique_tags | Entities(found, IOB2, False).unique_tags)
    else:

        def ask(wanted, found, average):
            return sequence_labeling.precision_recall_fscore_support(wanted, found, average=average)

        entities = sequence_labeling.get_entities(wanted) + sequence_labeling.get_entities(found)
        names = sorted({entity[0] for entity in entities})
    precision, recall, f1, support = ask(wanted, found, None)
    # How many were answered is the support the other way round.
    _, _, _, n_predicted = ask(found, wanted, None)
    assert len(names) == len(support) == len(n_predicted), (names, support, n_predicted)
    types = [
        {
            "name": name,
            "precision": ratio(precision[i], n_predicted[i]),
            "recall": ratio(recall[i], support[i]),
            "f1": ratio(f1[i], support[i] + n_predicted[i]),
            "support": int(support[i]),
            "n_predicted": int(n_predicted[i]),
        }
        for i, name in enumerate(names)
    ]
    out = {"types": types}
    for average in ["micro", "macro", "weighted"]:
        p, r, f, _ = ask(wanted, found, average)
        n_wanted, n_found = support.sum(), n_predicted.sum()
        if average == "micro":
            out[average] = {"precision": ratio(p, n_found), "recall": ratio(r, n_wanted), "f1": ratio(f, n_wanted + n_found)}
        elif (average == "macro" and names) or (average == "weighted" and n_wanted):
            out[average] = {"precision": float(p), "recall": float(r), "f1": float(f)}
        else:
            out[average] = None
    return out


def case(name, wanted, found):
    wanted = [sentence.split() for sentence in wanted]
    found = [sentence.split() for sentence in found]
    labels = sorted({label for sentence in wanted + found for label in sentence})
    is_iob2 = all(label[0] in "OBI" for label in labels)
    flat_wanted = [label for sentence in wanted for label in sentence]
    flat_found = [label for sentence in found for label in sentence]
    result = {
        "name": name,
        "labels": labels,
        "wanted": wanted,
        "found": found,
        "accuracy": float(metrics.accuracy_score(wanted, found)),
        "macro_over_labels": float(
            sklearn.metrics.f1_score(flat_wanted, flat_found, average="macro", zero_division=0)
        ),
        "default": scores(wanted, found, False),
    }
    if is_iob2:
        result["strict"] = scores(wanted, found, True)
    return result


def random_sentences(labels, weights, n, noise):
    """Tags in any order, and the same with some replaced."""
    wanted, found = [], []
    for _ in range(n):
        length = int(random.integers(1, 12))
        tags = random.choice(labels, length, p=weights)
        other = random.choice(labels, length, p=weights)
        kept = np.where(random.random(length) < noise, other, tags)
        wanted.append(" ".join(tags))
        found.append(" ".join(kept))
    return wanted, found


def cases():
    yield case("all right", ["B-PER I-PER O B-LOC", "O O"], ["B-PER I-PER O B-LOC", "O O"])
    yield case("a border and a type", ["B-PER I-PER O B-LOC O"], ["B-PER O O B-ORG O"])
    yield case("I- begins a sentence, and follows another type", ["I-PER I-PER I-LOC O I-LOC"], ["B-PER I-PER B-LOC O I-LOC"])
    yield case("an answer without B-", ["B-PER I-PER O", "O B-LOC I-LOC"], ["I-PER I-PER O", "O I-LOC I-LOC"])
    yield case("two of a type side by side", ["B-PER B-PER I-PER O"], ["B-PER I-PER I-PER O"])
    yield case("an entity at the end, and at the start of the next", ["O B-PER", "I-PER O"], ["O B-PER", "B-PER O"])
    yield case("nothing answered", ["B-PER I-PER O B-LOC"], ["O O O O"])
    yield case("nothing wanted", ["O O O O"], ["B-PER I-PER O B-LOC"])
    yield case("a type that is only answered", ["B-PER O O"], ["B-PER O B-MISC"])
    yield case("IOBES", ["B-PER I-PER E-PER O S-LOC"], ["B-PER E-PER E-PER O S-LOC"])
    yield case("IOBES out of order", ["E-PER S-PER I-PER E-PER B-PER S-PER", "S-LOC S-LOC E-LOC I-LOC"], ["B-PER E-PER I-PER E-PER S-PER S-PER", "S-LOC B-LOC E-LOC E-LOC"])
    yield case("types with hyphens", ["B-art-film I-art-film O B-art-song"], ["B-art-film I-art-song O B-art-song"])
    yield case("no types", ["B I O B I I", "O B B"], ["B I O B O I", "O B I"])
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]
    yield case("random IOB2", *random_sentences(labels, [0.4, 0.12, 0.12, 0.12, 0.12, 0.06, 0.06], 60, 0.4))
    labels = ["O"] + [f"{place}-{kind}" for kind in ["A", "B"] for place in "BIES"]
    yield case("random IOBES", *random_sentences(labels, [0.2] + [0.1] * 8, 60, 0.4))


def bootstrap():
    """An interval by another generator: it agrees about, not exactly."""
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    wanted, found = random_sentences(labels, [0.5, 0.15, 0.1, 0.15, 0.1], 300, 0.3)
    wanted = [sentence.split() for sentence in wanted]
    found = [sentence.split() for sentence in found]
    values = []
    for _ in range(1000):
        drawn = random.integers(0, len(wanted), len(wanted))
        values.append(metrics.f1_score([wanted[i] for i in drawn], [found[i] for i in drawn]))
    low, high = np.percentile(values, [2.5, 97.5])
    return {"labels": labels, "wanted": wanted, "found": found, "f1": float(metrics.f1_score(wanted, found)), "low": float(low), "high": float(high)}


def main():
    out = {
        "made_with": {name: importlib.metadata.version(name) for name in ["seqeval", "numpy", "scikit-learn"]},
        "cases": list(cases()),
        "bootstrap": bootstrap(),
    }
    print("{\n" + f'"made_with": {json.dumps(out["made_with"])},\n"cases": [')
    print(",\n".join(json.dumps(case) for case in out["cases"]))
    print('],\n"bootstrap": ' + json.dumps(out["bootstrap"]) + "\n}")


main()
