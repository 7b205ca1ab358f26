"""Makes crates/bertlab-train/tests/goldens/metrics.json: the metrics' inputs (seeded) and what scikit-learn and scipy say to them.

Run: python scripts/make_metric_goldens.py > crates/bertlab-train/tests/goldens/metrics.json
Needs numpy, scipy and scikit-learn; the versions used are written into the file.
A value that has no meaning is null: scikit-learn's zero_division=nan, scipy's nan on constant input.
"""
import json
import math
import warnings

import numpy as np
import scipy
import scipy.special
import scipy.stats
import sklearn
import sklearn.calibration
import sklearn.metrics as metrics

warnings.filterwarnings("ignore")
random = np.random.default_rng(20240217)


def plain(value):
    """Numbers as JSON has them, NaN as null."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if value is None or isinstance(value, str):
        return value
    return None if math.isnan(value) else float(value)


def triple(labels, predictions, average, **more):
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predictions, average=average, zero_division=0, **more
    )
    return {"precision": precision, "recall": recall, "f1": f1}


def classification(name, labels, predictions, n_classes):
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(n_classes), zero_division=np.nan
    )
    n_right = int(np.sum(labels == predictions))
    interval = scipy.stats.binomtest(n_right, len(labels)).proportion_ci(0.95, method="wilson")
    one_class = len(set(labels)) == 1 or len(set(predictions)) == 1
    return {
        "name": name,
        "labels": labels,
        "predictions": predictions,
        "n_classes": n_classes,
        "accuracy": metrics.accuracy_score(labels, predictions),
        "confusion": metrics.confusion_matrix(labels, predictions, labels=range(n_classes)),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support,
        "macro": triple(labels, predictions, "macro"),
        "micro": triple(labels, predictions, "micro"),
        "weighted": triple(labels, predictions, "weighted"),
        "matthews": math.nan if one_class else metrics.matthews_corrcoef(labels, predictions),
        "wilson": [interval.low, interval.high],
        "majority": np.bincount(labels).max() / len(labels),
    }


def auroc(name, labels, scores, n_classes):
    classes = [metrics.roc_auc_score(labels == c, scores[:, c]) for c in range(n_classes)]
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    together = {}
    if n_classes > 2:
        by_sklearn = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
        classes = [metrics.roc_auc_score(labels == c, probabilities[:, c]) for c in range(n_classes)]
        scores = probabilities
        together = {"macro": by_sklearn}
    return {"name": name, "labels": labels, "scores": scores.ravel(), "n_classes": n_classes, "classes": classes, **together}


def bins(confidence, is_right, n_bins=15):
    """Per bin with answers: mean probability and share of right answers, by scikit-learn; and the error that they give."""
    share, mean = sklearn.calibration.calibration_curve(is_right, confidence, n_bins=n_bins, strategy="uniform")
    edges = np.linspace(0, 1, n_bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], confidence), minlength=n_bins)
    error = np.sum(counts[counts > 0] * np.abs(share - mean)) / len(confidence)
    return {"counts": counts, "share_right": share, "mean_probability": mean, "expected_calibration_error": error}


def probabilities(name, labels, logits):
    logits = logits.astype(np.float32)
    p = scipy.special.softmax(logits.astype(np.float64), axis=1)
    n_classes = logits.shape[1]
    answers = p.argmax(1)
    # The order of the probabilities by their log odds: in f64 several sure answers are 1.0 and would tie.
    z = logits.astype(np.float64)
    odds = np.stack([z[:, c] - scipy.special.logsumexp(np.delete(z, c, 1), axis=1) for c in range(n_classes)], 1)
    if n_classes == 2:
        auroc = metrics.roc_auc_score(labels, odds[:, 1])
        brier = metrics.brier_score_loss(labels, p[:, 1])
    else:
        auroc = np.mean([metrics.roc_auc_score(labels == c, odds[:, c]) for c in range(n_classes)])
        if p.max() < 1:
            assert np.isclose(auroc, metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro"))
        brier = metrics.brier_score_loss(labels, p, labels=range(n_classes))
    return {
        "name": name,
        "labels": labels,
        "logits": logits.ravel(),
        "n_classes": n_classes,
        "auroc": auroc,
        "brier": brier,
        **bins(p.max(1), answers == labels),
    }


def multilabel(name, truth, predictions):
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predictions, average=None, zero_division=np.nan
    )
    return {
        "name": name,
        "n_labels": truth.shape[1],
        "truth": truth.ravel().astype(bool),
        "predictions": predictions.ravel().astype(bool),
        "subset_accuracy": metrics.accuracy_score(truth, predictions),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support,
        "micro": triple(truth, predictions, "micro"),
        "macro": triple(truth, predictions, "macro"),
        "weighted": triple(truth, predictions, "weighted"),
        "samples": triple(truth, predictions, "samples"),
        "hamming_loss": metrics.hamming_loss(truth, predictions),
    }


def label_probabilities(name, truth, logits):
    logits = logits.astype(np.float32)
    p = scipy.special.expit(logits.astype(np.float64))
    return {
        **multilabel(name, truth, (logits > 0).astype(int)),
        "logits": logits.ravel(),
        "auroc": metrics.roc_auc_score(truth, p, average=None),
        "auroc_macro": metrics.roc_auc_score(truth, p, average="macro"),
        **bins(p.ravel(), truth.ravel()),
    }


def several_values(name, wanted, found):
    wanted, found = wanted.astype(np.float32), found.astype(np.float32)
    a, b = wanted.astype(np.float64), found.astype(np.float64)
    columns = range(a.shape[1])
    return {
        "name": name,
        "n_values": a.shape[1],
        "wanted": wanted.ravel(),
        "found": found.ravel(),
        "mse": metrics.mean_squared_error(a, b),
        "rmse": metrics.root_mean_squared_error(a, b),
        "mae": metrics.mean_absolute_error(a, b),
        "r2": metrics.r2_score(a, b),
        "pearson": np.mean([scipy.stats.pearsonr(a[:, k], b[:, k]).statistic for k in columns]),
        "spearman": np.mean([scipy.stats.spearmanr(a[:, k], b[:, k]).statistic for k in columns]),
    }


def regression(name, wanted, found):
    wanted, found = wanted.astype(np.float32), found.astype(np.float32)
    a, b = wanted.astype(np.float64), found.astype(np.float64)
    return {
        "name": name,
        "wanted": wanted,
        "found": found,
        "mse": metrics.mean_squared_error(a, b),
        "rmse": metrics.root_mean_squared_error(a, b),
        "mae": metrics.mean_absolute_error(a, b),
        "pearson": scipy.stats.pearsonr(a, b).statistic,
        "pearson_interval": list(scipy.stats.pearsonr(a, b).confidence_interval(0.95)),
        "spearman": scipy.stats.spearmanr(a, b).statistic,
        "r2": math.nan if np.ptp(a) == 0 else metrics.r2_score(a, b),
    }


def classification_cases():
    labels = random.integers(0, 2, 60)
    noisy = np.where(random.random(60) < 0.8, labels, 1 - labels)
    yield classification("two classes", labels, noisy, 2)
    labels = random.choice(4, 80, p=[0.55, 0.3, 0.1, 0.05])
    guesses = np.where(random.random(80) < 0.6, labels, random.integers(0, 4, 80))
    yield classification("four uneven classes", labels, guesses, 4)
    yield classification("one class is never predicted", labels, np.where(guesses == 3, 0, guesses), 4)
    yield classification("one class never occurs", np.where(labels == 2, 0, labels), guesses, 4)
    yield classification("two ids are unused", np.array([0, 3, 3, 0, 3]), np.array([0, 3, 0, 0, 3]), 5)
    yield classification("one label only, all right", np.zeros(10, int), np.zeros(10, int), 2)
    yield classification("one label only, half right", np.ones(10, int), np.arange(10) % 2, 2)
    yield classification("all wrong", np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0]), 2)


def auroc_cases():
    labels = random.integers(0, 2, 50)
    scores = np.round(random.normal(labels, 1.0), 1).astype(np.float32)
    yield auroc("binary with ties", labels, np.stack([-scores, scores], 1), 2)
    labels = random.integers(0, 3, 60)
    logits = (np.eye(3)[labels] + random.normal(0, 1, (60, 3))).astype(np.float32)
    yield auroc("three classes", labels, logits, 3)


def multilabel_cases():
    truth = (random.random((40, 5)) < [0.5, 0.3, 0.2, 0.1, 0.0]).astype(int)
    flips = (random.random((40, 5)) < 0.15).astype(int)
    yield multilabel("a label that never occurs", truth, truth ^ flips)
    predictions = truth.copy()
    predictions[:, 1] = 0
    predictions[:, 4] = 0
    yield multilabel("a label neither set nor predicted", truth, predictions)


def regression_cases():
    wanted = np.round(random.random(50) * 5, 1)
    yield regression("with ties", wanted, np.round(wanted + random.normal(0, 1, 50), 1))
    yield regression("worse than the mean", wanted, 5 - wanted)
    yield regression("constant predictions", wanted, np.full(50, 2.5))
    yield regression("constant truth", np.full(20, 1.1), random.random(20))
    yield regression("far from zero", wanted / 1024 + 4096, wanted / 2048 + 4096)


def probability_cases():
    labels = random.integers(0, 2, 70)
    yield probabilities("two classes", labels, np.eye(2)[labels] * 2 + random.normal(0, 1.5, (70, 2)))
    labels = random.choice(4, 90, p=[0.4, 0.3, 0.2, 0.1])
    yield probabilities("four classes", labels, np.eye(4)[labels] * 2 + random.normal(0, 1, (90, 4)))
    labels = random.integers(0, 3, 60)
    yield probabilities("sure of itself", labels, (np.eye(3)[labels] + random.normal(0, 0.7, (60, 3))) * 40)


def label_probability_cases():
    truth = (random.random((50, 4)) < [0.5, 0.3, 0.2, 0.4]).astype(int)
    yield label_probabilities("four labels", truth, (truth * 2 - 1) * 1.5 + random.normal(0, 1.5, (50, 4)))


def several_value_cases():
    wanted = random.normal(0, [1, 3, 10], (40, 3))
    yield several_values("three values a row", wanted, wanted * 0.7 + random.normal(0, 1, (40, 3)))


def main():
    out = {
        "made_with": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__},
        "classification": list(classification_cases()),
        "auroc": list(auroc_cases()),
        "multilabel": list(multilabel_cases()),
        "regression": list(regression_cases()),
        "probabilities": list(probability_cases()),
        "label_probabilities": list(label_probability_cases()),
        "several_values": list(several_value_cases()),
    }
    groups = []
    for key, value in plain(out).items():
        if isinstance(value, list):
            value_text = "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"
        else:
            value_text = json.dumps(value)
        groups.append(f"{json.dumps(key)}: {value_text}")
    print("{\n" + ",\n".join(groups) + "\n}")


main()
