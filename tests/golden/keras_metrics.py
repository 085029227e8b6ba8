"""Results of Keras' metrics on plain values, after one and after several updates -> keras_metrics.json.

Metrics that are means or scores are computed in float64, those that count at thresholds in float32, as Keras ships them: there a
prediction on a threshold falls on one side by its last bit.
"""

from golden import array, keras, keras_config, made_with, np, number, stream, torch, write

SPECIAL = {"auc": "AUC", "klDivergence": "KLDivergence", "fBetaScore": "FBetaScore", "f1Score": "F1Score", "r2Score": "R2Score"}
cases = []


def case(metric, config, kind, shape, weighted=False, updates=2, floatx="float64", weight_shape=None):
    keras.config.set_floatx(floatx)
    name = " ".join([metric, *(f"{k}={v}" for k, v in config.items()), kind, str(list(shape)), *(["weighted"] if weighted else [])])
    rng = stream(name)
    snake = keras_config(config)
    for key in ("class_aggregation",):
        if isinstance(snake.get(key), str):
            snake[key] = {"uniformAverage": "uniform_average", "varianceWeightedAverage": "variance_weighted_average"}[snake[key]]
    if "beta" in snake:
        snake["beta"] = float(snake["beta"])
    made = getattr(keras.metrics, SPECIAL.get(metric, metric[0].upper() + metric[1:]))(**snake)
    steps = []
    results = []
    for _ in range(updates):
        y, p = data(rng, kind, shape)
        y, p = y.astype(np.float32), p.astype(np.float32)
        w = rng.randint(0, 5, size=weight_shape or shape[:1]).astype(np.float32) / 2 if weighted else None
        # by numpy in its precision: torch keeps what it gets
        to = lambda v: torch.tensor(v.astype(floatx))
        made.update_state(to(y), to(p), sample_weight=None if w is None else to(w))
        step = {"yTrue": array(y), "yPred": array(p)}
        if w is not None:
            step["sampleWeight"] = array(w)
        steps.append(step)
        result = np.asarray(made.result().detach().numpy())
        results.append([number(v) for v in result.ravel()] if result.ndim else number(result))
    if any(c["name"] == name for c in cases):
        raise ValueError(name)
    cases.append({"name": name, "metric": metric, "config": config, "defaultName": made.name, "updates": steps, "results": results})


def data(rng, kind, shape):
    if kind == "numbers":
        return rng.normal(size=shape), rng.normal(size=shape)
    if kind == "positive":
        return rng.uniform(0.05, 2, size=shape), rng.uniform(0.05, 2, size=shape)
    if kind == "binary":
        return rng.randint(0, 2, size=shape), rng.uniform(0.01, 0.99, size=shape)
    if kind == "coarse":  # on the thresholds
        return rng.randint(0, 2, size=shape), rng.randint(1, 11, size=shape) / 10
    if kind == "signs":
        return rng.randint(0, 2, size=shape) * 2 - 1, rng.normal(size=shape)
    if kind == "logits":
        return rng.randint(0, 2, size=shape), rng.normal(size=shape) * 3
    p = rng.normal(size=shape)
    if kind != "classLogits" and kind != "oneHotLogits":
        p = np.exp(p) / np.exp(p).sum(-1, keepdims=True)
    classes = rng.randint(0, shape[-1], size=shape[:-1])
    return (np.eye(shape[-1])[classes] if kind.startswith("oneHot") else classes), p


def means(metric, kind, config={}, shapes=((5, 3), (4, 1)), sequence=(3, 4, 2)):
    for shape in shapes:
        for weighted in (False, True):
            case(metric, config, kind, shape, weighted)
    if sequence:
        case(metric, config, kind, sequence, True)


for metric in ("meanSquaredError", "rootMeanSquaredError", "meanAbsoluteError", "meanAbsolutePercentageError", "logCoshError",
               "cosineSimilarity"):
    means(metric, "numbers")
for metric in ("meanSquaredLogarithmicError", "poisson"):
    means(metric, "positive")
means("hinge", "signs")
means("hinge", "binary", shapes=((5, 3),))
means("squaredHinge", "signs")
means("categoricalHinge", "oneHot", shapes=((5, 3),))
means("klDivergence", "oneHot", shapes=((5, 3),))
means("klDivergence", "positive", shapes=((5, 3),))
means("binaryCrossentropy", "binary")
means("binaryCrossentropy", "logits", {"fromLogits": True, "labelSmoothing": 0.2})
means("categoricalCrossentropy", "oneHot", shapes=((5, 3),))
means("categoricalCrossentropy", "oneHotLogits", {"fromLogits": True, "labelSmoothing": 0.1}, shapes=((5, 3),))
means("sparseCategoricalCrossentropy", "classes", shapes=((5, 3),))
means("sparseCategoricalCrossentropy", "classLogits", {"fromLogits": True}, shapes=((5, 3),))
means("binaryAccuracy", "binary")
means("binaryAccuracy", "coarse", {"threshold": 0.7}, shapes=((20, 1),), sequence=None)
means("categoricalAccuracy", "oneHot", shapes=((7, 3),), sequence=None)
means("sparseCategoricalAccuracy", "classes", shapes=((7, 3),), sequence=None)
means("topKCategoricalAccuracy", "oneHot", {"k": 2}, shapes=((7, 4),), sequence=None)
means("sparseTopKCategoricalAccuracy", "classes", {"k": 2}, shapes=((7, 4),), sequence=None)

for metric in ("truePositives", "trueNegatives", "falsePositives", "falseNegatives", "precision", "recall"):
    for config, kind in (({}, "binary"), ({"thresholds": [0.2, 0.5, 0.85]}, "binary"), ({"thresholds": [0.0, 0.5, 1.0]}, "coarse"),
                         ({"thresholds": 0.7}, "coarse")):
        for weighted in (False, True):
            case(metric, config, kind, (12, 1), weighted, floatx="float32")
    case(metric, {}, "binary", (6, 3), True, floatx="float32")
for metric in ("precision", "recall"):
    for config in ({"topK": 2}, {"classId": 1}, {"topK": 2, "classId": 0}, {"topK": 2, "thresholds": 0.3}):
        for weighted in (False, True):
            case(metric, config, "oneHot", (8, 4), weighted, floatx="float32")

for curve in ("ROC", "PR", "PRGAIN"):
    for method in ("interpolation", "minoring", "majoring"):
        case("auc", {"curve": curve, "summationMethod": method}, "binary", (30, 1), floatx="float32")
        case("auc", {"curve": curve, "summationMethod": method}, "coarse", (30, 1), True, floatx="float32")
case("auc", {}, "binary", (20, 1), floatx="float32")
case("auc", {"numThresholds": 5}, "coarse", (20, 1), floatx="float32")
case("auc", {"thresholds": [0.1, 0.4, 0.8]}, "coarse", (20, 1), True, floatx="float32")
case("auc", {"thresholds": [0.25, 0.5, 0.75]}, "coarse", (20, 1), floatx="float32")
case("auc", {"fromLogits": True}, "logits", (20, 1), floatx="float32")
case("auc", {}, "binary", (12, 3), True, floatx="float32")
case("auc", {"multiLabel": True}, "binary", (12, 3), floatx="float32")
case("auc", {"multiLabel": True, "curve": "PR", "labelWeights": [1, 2, 0.5]}, "binary", (12, 3), floatx="float32")
case("auc", {"labelWeights": [1, 2, 0.5]}, "binary", (12, 3), floatx="float32")
for metric, option in (("sensitivityAtSpecificity", "specificity"), ("specificityAtSensitivity", "sensitivity"),
                       ("precisionAtRecall", "recall"), ("recallAtPrecision", "precision")):
    for config in ({option: 0.5}, {option: 0.8, "numThresholds": 11}, {option: 0.3, "numThresholds": 1}):
        for weighted in (False, True):
            case(metric, config, "binary", (20, 1), weighted, floatx="float32")
    case(metric, {option: 0.5, "numThresholds": 11}, "coarse", (20, 1), floatx="float32")
    case(metric, {option: 0.5, "classId": 2}, "oneHot", (9, 3), floatx="float32")

for average in (None, "micro", "macro", "weighted"):
    for threshold in (None, 0.4):
        for weighted in (False, True):
            case("fBetaScore", {"average": average, "beta": 2, "threshold": threshold}, "oneHot", (9, 3), weighted)
    case("f1Score", {"average": average}, "oneHot", (9, 3), True)
case("f1Score", {}, "oneHot", (9, 3))
case("f1Score", {"threshold": 0.3}, "binary", (9, 2))
for aggregation in ("uniformAverage", "varianceWeightedAverage", None):
    for weighted in (False, True):
        case("r2Score", {"classAggregation": aggregation}, "numbers", (6, 3), weighted)
case("r2Score", {"numRegressors": 2}, "numbers", (6, 3))
case("r2Score", {"numRegressors": 40}, "numbers", (6, 3))

write("keras_metrics.py", made_with("keras_metrics.py", "float64 and float32"), cases=cases)
