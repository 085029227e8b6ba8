"""Makes keras_text.json: what Keras' TextVectorization and pad_sequences answer, as asked by tests/data/*.test.ts.

TextVectorization needs TensorFlow:
    pip install keras tensorflow-cpu
    KERAS_BACKEND=tensorflow python tests/golden/keras_text.py
"""
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

TEXTS = [
    "The cat sat on the mat; the CAT didn't sit.",
    "  A dog\tand\na cat:\x0b\x0cfriends?  ",
    "ÉCOLE École école ÄB i̇ İstanbul",
    "a\u00a0b c\u3000d e\x85f g\x1ch \u2028 zero\u200bwidth",
    "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~' « » “q” don’t 100€ x_y",
    "한국어 텍스트 처리는 한국어, 한글(한국어)로! 재미있다.",
    "그 고양이는 매트 위에 앉았다. 고양이는 귀엽다 ㅋㅋㅋ",
    "😀 👍🏽 \uffe6 \ue000 𝒳 Z z é 가 힣 [UNK] b",
    "",
    "   ",
]
ASKED = TEXTS + ["an unseen sentence, 한국어 and cat", "cat cat cat [UNK]", "!!!"]

CONFIGURATIONS = {
    "defaults": {},
    "maxTokens": {"max_tokens": 8},
    "outputSequenceLength": {"max_tokens": 20, "output_sequence_length": 5},
    "lower": {"standardize": "lower"},
    "stripPunctuation": {"standardize": "strip_punctuation", "max_tokens": 15},
    "asIs": {"standardize": None},
    "characters": {"split": "character"},
    "charactersCut": {"split": "character", "max_tokens": 12, "output_sequence_length": 7, "standardize": None},
    "pairs": {"ngrams": 2},
    "widths": {"ngrams": (3, 1), "max_tokens": 30},
    "wholeTexts": {"split": None},
    "wholeTextsCount": {"split": None, "output_mode": "count"},
    "multiHot": {"output_mode": "multi_hot"},
    "multiHotPadded": {"output_mode": "multi_hot", "max_tokens": 200, "pad_to_max_tokens": True},
    "count": {"output_mode": "count", "max_tokens": 10},
    "countPairs": {"output_mode": "count", "ngrams": 2, "max_tokens": 25},
    "tfIdf": {"output_mode": "tf_idf", "max_tokens": 12},
    "tfIdfPadded": {"output_mode": "tf_idf", "max_tokens": 90, "pad_to_max_tokens": True},
    "tfIdfCharacters": {"output_mode": "tf_idf", "split": "character", "max_tokens": 17},
    "vocabulary": {"vocabulary": ["cat", "한국어", "the", "a"]},
    "vocabularyWithSpecial": {"vocabulary": ["", "[UNK]", "cat", "한국어", "the", "a"], "output_sequence_length": 3},
    "vocabularyCount": {"vocabulary": ["[UNK]", "cat", "한국어", "the", "a"], "output_mode": "count"},
    "idfWeights": {"vocabulary": ["cat", "the", "a"], "idf_weights": [0.1, 0.2, 0.6], "output_mode": "tf_idf"},
    "idfWeightsWithSpecial": {
        "vocabulary": ["[UNK]", "cat", "the"], "idf_weights": [0.9, 0.25, 2.0], "output_mode": "tf_idf",
        "max_tokens": 5, "pad_to_max_tokens": True,
    },
}


def row(values):
    """[width, position, value, position, value, ...] of what is not zero: encoded rows are mostly zeros."""
    out = [len(values)]
    for position in np.flatnonzero(values):
        value = values[position]
        out += [int(position), int(value) if float(value).is_integer() else float(np.float32(value))]
    return out


def vectorization(options):
    layer = keras.layers.TextVectorization(**options)
    if "vocabulary" not in options:
        layer.adapt(TEXTS)
    column = options.get("split", "whitespace") is None  # a column, as adapt() makes of a list
    answer = layer(np.array([[text] for text in ASKED]) if column else ASKED).numpy()
    single = layer([ASKED[0]] if column else ASKED[0]).numpy()
    return {
        "options": options,
        "vocabulary": [str(token) for token in layer.get_vocabulary()],
        "size": int(layer.vocabulary_size()),
        "shape": list(answer.shape),
        "rows": [row(values) for values in answer],
        "single": row(single),
    }


SEQUENCES = [[1, 2, 3, 4, 5], [6], [], [7, 8], [9, 10, 11]]
VECTORS = [[], [[1, 2], [3, 4], [5, 6]], [[7, 8]], [[9, 10], [11, 12]]]


def padding():
    cases = []
    for sequences in (SEQUENCES, VECTORS, [[], []]):
        for maxlen in (None, 1, 2, 7):
            for pad in ("pre", "post"):
                for cut in ("pre", "post"):
                    options = {"maxlen": maxlen, "padding": pad, "truncating": cut}
                    out = keras.utils.pad_sequences(sequences, **options)
                    cases.append({"sequences": sequences, "options": options, "shape": list(out.shape),
                                  "data": out.ravel().tolist()})
    options = {"maxlen": 3, "dtype": "float32", "value": -0.5, "padding": "post"}
    floats = [[0.25, 1.5], [2.0, 3.0, 4.0, 5.75]]
    out = keras.utils.pad_sequences(floats, **options)
    cases.append({"sequences": floats, "options": options, "shape": list(out.shape), "data": out.ravel().tolist()})
    return cases


golden = {
    "made with": f"keras {keras.__version__}, tensorflow {tf.__version__}: tests/golden/keras_text.py",
    "texts": TEXTS,
    "asked": ASKED,
    "vectorization": {name: vectorization(options) for name, options in CONFIGURATIONS.items()},
    "padding": padding(),
}


def compact(value, depth=0):
    """JSON with one line for each case."""
    if isinstance(value, dict) and depth < 2:
        pad = " " * (depth + 1)
        inner = ",\n".join(f"{pad}{json.dumps(k)}: {compact(v, depth + 1)}" for k, v in value.items())
        return "{\n" + inner + "\n" + pad[1:] + "}"
    if isinstance(value, list) and depth == 1 and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join("  " + json.dumps(v, ensure_ascii=False) for v in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False)


Path(__file__).with_suffix(".json").write_text(compact(golden) + "\n", encoding="utf-8")
