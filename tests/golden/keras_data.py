"""Makes keras_data.json: what Keras' data utilities answer, as asked by tests/data/*.test.ts: Tokenizer, hashing, lookups,
encodings, scaling, windows of series, skip-grams, shuffles; and TensorFlow's n-grams and padded and bucketed batches.

    pip install keras==3.15.1 tensorflow-cpu==2.21.0
    KERAS_BACKEND=tensorflow python tests/golden/keras_data.py
"""
import collections
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras.src.legacy.preprocessing import sequence as old_sequence  # noqa: E402
from keras.src.legacy.preprocessing import text as old_text  # noqa: E402

TEXTS = [
    "The cat sat on the mat; the CAT didn't sit.",
    "A dog\tand\na cat: friends? x_y 2013 12 2013",
    "École ÉCOLE İstanbul ΣΑΣ 2013",
    "한국어 텍스트, 한국어! ㅋㅋ 😀😀 constructor __proto__ \u007f",
    "",
]
ASKED = TEXTS + ["an unseen Cat; the 12 2013 dog dog dog", "🙂 ! ?"]


def numbers(values):
    """An array as tests read it: shape and flat values with nine digits."""
    values = np.asarray(values)
    flat = values.ravel().tolist()
    if values.dtype.kind == "f":
        flat = [float(f"{v:.9g}") for v in flat]
    return {"shape": list(values.shape), "data": flat}


def tokenizers():
    cases = []
    for options in (
        {},
        {"num_words": 4},
        {"oov_token": "<unk>"},
        {"num_words": 5, "oov_token": "<unk>"},
        {"oov_token": "cat", "lower": False},
        {"char_level": True},
        {"char_level": True, "lower": False, "num_words": 10},
        {"filters": "aeiou-]^\\", "split": "s"},
        {"filters": "", "split": "  "},
        {"filters": ".,;!?", "split": " \t"},
    ):
        made = old_text.Tokenizer(**options)
        # The order of word_docs is that of a set: put into the order of first sight, as JavaScript's sets have it.
        known = {}
        for texts in (TEXTS, [["Given", "tokens", "cat"]]):
            made.fit_on_texts(texts)
            made.word_docs = collections.defaultdict(int, {w: made.word_docs[w] for w in made.word_counts})
            known |= {made.word_index[w]: c for w, c in made.word_docs.items()}
            made.index_docs = collections.defaultdict(int, known)
        sequences = made.texts_to_sequences(ASKED)
        cases.append({
            "options": options,
            "word_index": list(made.word_index.items()),
            "sequences": sequences,
            "texts": made.sequences_to_texts(sequences + [[1, 2, 999]]),
            "matrices": {mode: numbers(made.texts_to_matrix(ASKED, mode).astype("float32"))
                         for mode in ("binary", "count", "tfidf", "freq")},
            "json": made.to_json(),
        })
    return cases


def hashing():
    return [{"text": text, "n": n, "ids": old_text.hashing_trick(text, n, hash_function="md5"),
             "words": old_text.text_to_word_sequence(text)} for text in TEXTS for n in (2, 10, 50000)]


def ngrams():
    cases = []
    tokens = ["a", "b", "c", "d"]
    for given in (tokens, tokens[:1], []):
        for width in (1, 2, [2, 3], [3, 1]):
            for options in ({}, {"separator": "_"}, {"pad_values": "#"}, {"pad_values": ("<", ">"), "padding_width": 1},
                            {"preserve_short_sequences": True}, {"pad_values": ("<", ">"), "preserve_short_sequences": True}):
                ragged = tf.ragged.constant([given], dtype=tf.string)
                try:
                    out = tf.strings.ngrams(ragged, width if isinstance(width, int) else tuple(width), **options)
                except Exception as error:  # noqa: BLE001
                    raise SystemExit(f"{given} {width} {options}: {error}")
                cases.append({"tokens": given, "width": width, "options": options,
                              "ngrams": [g.decode() for g in out.to_list()[0]]})
    return cases


def lookups():
    strings = [["a", "c", "d", "d"], ["d", "z", "b", "z"], ["가", "", "é", "[UNK]"]]
    asked = [["a", "q", "d", "d"], ["", "[UNK]", "나", "😀" * 20], ["z" * 7, "y" * 12, "x" * 40, "w" * 90]]
    integers = [[12, 1138, 42, 42], [42, 1000, 36, -5], [0, 7, 7, -1]]
    asked_integers = [[12, 37, 1000, 0], [-1, 5, -7, 42]]
    cases = []
    for options in (
        {}, {"max_tokens": 4}, {"mask_token": ""}, {"num_oov_indices": 3}, {"num_oov_indices": 2, "mask_token": ""},
        {"num_oov_indices": 4, "salt": [133, 137]}, {"num_oov_indices": 4, "salt": 7},
        {"output_mode": "one_hot"}, {"output_mode": "multi_hot", "mask_token": ""}, {"output_mode": "count", "num_oov_indices": 2},
        {"output_mode": "tf_idf"}, {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True, "num_oov_indices": 2},
        {"vocabulary": ["a", "b", "c"], "num_oov_indices": 1}, {"vocabulary": ["", "[UNK]", "a", "b"], "mask_token": ""},
        {"vocabulary": ["a", "b", "c"], "idf_weights": [0.5, 0.25, 0.125], "output_mode": "tf_idf"},
        {"vocabulary": ["[UNK]", "a", "b"], "idf_weights": [2.0, 0.25, 0.125], "output_mode": "tf_idf"},
    ):
        layer = keras.layers.StringLookup(**options)
        if "vocabulary" not in options:
            layer.adapt(np.array(strings))
        cases.append({"kind": "StringLookup", "options": options, "vocabulary": layer.get_vocabulary(), "data": strings,
                      "asked": asked, "answer": numbers(layer(np.array(asked))), "row": numbers(layer(np.array(asked[0]))),
                      "scalar": numbers(layer(tf.constant("d")))})
    for options in (
        {}, {"max_tokens": 4}, {"mask_token": 0}, {"num_oov_indices": 3}, {"num_oov_indices": 3, "oov_method": "farmhash"},
        {"num_oov_indices": 3, "oov_method": "farmhash", "salt": [1, 2]}, {"oov_token": -7},
        {"output_mode": "one_hot"}, {"output_mode": "multi_hot", "mask_token": 0}, {"output_mode": "count", "num_oov_indices": 2},
        {"output_mode": "tf_idf"}, {"vocabulary": [12, 36, 42]},
    ):
        layer = keras.layers.IntegerLookup(**options)
        if "vocabulary" not in options:
            layer.adapt(np.array(integers))
        cases.append({"kind": "IntegerLookup", "options": options, "vocabulary": [int(v) for v in layer.get_vocabulary()],
                      "data": integers, "asked": asked_integers, "answer": numbers(layer(np.array(asked_integers))),
                      "row": numbers(layer(np.array(asked_integers[0]))), "scalar": numbers(layer(tf.constant(42, tf.int64)))})
    return cases


def hashes():
    """FarmHash64 and SipHash of strings of every length, by the ids they give."""
    words = ["".join(chr(97 + (i * 7 + n) % 26) for i in range(n)) for n in list(range(70)) + [127, 128, 129, 200, 1000]]
    return {"words": words,
            "farm": tf.strings.to_hash_bucket_fast(words, 2**31 - 1).numpy().tolist(),
            "sip": tf.strings.to_hash_bucket_strong(words, 2**31 - 1, key=[2**40 + 5, 9]).numpy().tolist()}


def inverses():
    cases = []
    for options in ({"vocabulary": ["a", "b"]}, {"vocabulary": ["a", "b"], "mask_token": "", "num_oov_indices": 2},
                    {"vocabulary": ["a"], "oov_token": "?"}):
        out = keras.layers.StringLookup(invert=True, **options)(np.array([[0, 1, 2], [3, 4, 9]]))
        cases.append({"kind": "StringLookup", "options": options, "keys": [[v.decode() for v in r] for r in out.numpy().tolist()]})
    out = keras.layers.IntegerLookup(invert=True, vocabulary=[12, 36])(np.array([[0, 1, 2], [3, 4, 9]]))
    cases.append({"kind": "IntegerLookup", "options": {"vocabulary": [12, 36]}, "keys": out.numpy().tolist()})
    return cases


def normalizations():
    rng = np.random.default_rng(3)
    cases = []
    for shape, axes in (((7,), (None,)), ((5, 3), (-1, 0, None, (0, 1))), ((4, 6, 3), (-1, 1, None, (1, 2), (2, 0)))):
        data = (rng.normal(size=shape) * 3 + 5).astype("float32")
        data[..., 0] = 2.5 if len(shape) > 1 else data[..., 0]
        for axis in axes:
            layer = keras.layers.Normalization(axis=axis)
            layer.adapt(data)
            inverse = keras.layers.Normalization(axis=axis, invert=True)
            inverse.adapt(data)
            cases.append({"axis": axis, "data": numbers(data), "answer": numbers(layer(data)), "inverse": numbers(inverse(data)),
                          "mean": numbers(layer.mean), "variance": numbers(layer.variance)})
    for axis, mean, variance, shape in ((-1, 3.0, 2.0, (2, 3)), (-1, [1.0, 2.0, 3.0], [1.0, 4.0, 9.0], (2, 4, 3)),
                                        ((1, 2), [1.0, 2.0, 3.0], [1.0, 4.0, 9.0], (2, 4, 3)),
                                        ((1, 2), [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [4.0, 0.0]], (1, 2, 2))):
        data = rng.normal(size=shape).astype("float32")
        layer = keras.layers.Normalization(axis=axis, mean=mean, variance=variance)
        cases.append({"axis": axis, "given": {"mean": mean, "variance": variance}, "data": numbers(data),
                      "answer": numbers(layer(data))})
    return cases


def discretizations():
    rng = np.random.default_rng(4)
    cases = []
    for count, bins, epsilon, batches in ((7, 4, 0.01, 1), (8, 4, 0.01, 1), (500, 5, 0.01, 1), (500, 5, 0.1, 1), (1000, 3, 0.05, 4),
                                          (2000, 10, 0.01, 5)):
        data = rng.normal(size=(count,)).astype("float32")
        layer = keras.layers.Discretization(num_bins=bins, epsilon=epsilon)
        parts = np.split(data, batches)
        layer.adapt(parts if batches > 1 else data)
        cases.append({"options": {"num_bins": bins, "epsilon": epsilon}, "batches": [numbers(p) for p in parts],
                      "boundaries": [float(b) for b in layer.bin_boundaries]})
    asked = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 2.0]], "float32")
    for mode in ("int", "one_hot", "multi_hot", "count"):
        options = {"bin_boundaries": [0.0, 1.0, 2.0], "output_mode": mode}
        layer = keras.layers.Discretization(**options)
        cases.append({"options": options, "asked": numbers(asked), "answer": numbers(layer(asked)),
                      "column": numbers(layer(asked[:, :1]))})
    return cases


def encodings():
    cases = []
    for mode in ("one_hot", "multi_hot", "count"):
        layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode=mode)
        for asked in ([3, 2, 0, 1], [[0, 1], [0, 0], [1, 2], [3, 1]], [[3], [0]]):
            cases.append({"mode": mode, "asked": asked, "answer": numbers(layer(np.array(asked)))})
    weights = [[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.2, 0.2]]
    layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    asked = [[0, 1], [0, 0], [1, 2], [3, 1]]
    cases.append({"mode": "count", "asked": asked, "weights": weights,
                  "answer": numbers(layer(np.array(asked), count_weights=np.array(weights, "float32")))})
    return cases


def series():
    cases = []
    data = np.arange(30)
    pairs = np.stack([np.arange(30), 100 + np.arange(30)], axis=1)
    for options in (
        {"sequence_length": 5}, {"sequence_length": 5, "batch_size": 4}, {"sequence_length": 4, "sequence_stride": 3, "batch_size": 3},
        {"sequence_length": 4, "sampling_rate": 2, "batch_size": None}, {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3},
        {"sequence_length": 3, "start_index": 5, "end_index": 20, "batch_size": 6}, {"sequence_length": 3, "start_index": 7},
        {"sequence_length": 3, "end_index": 11}, {"sequence_length": 30}, {"sequence_length": 1, "sequence_stride": 29},
    ):
        for array, targets in ((data, None), (data, data * 2), (pairs, pairs[:20, :1])):
            try:
                found = list(keras.utils.timeseries_dataset_from_array(array, targets, **options))
            except tf.errors.InvalidArgumentError:
                continue
            cases.append({"options": options, "data": numbers(array), "targets": None if targets is None else numbers(targets),
                          "batches": [[numbers(p) for p in b] if targets is not None else [numbers(b)] for b in found]})
    return cases


def skipgrams():
    cases = []
    for sequence in ([1, 2, 3, 0, 4, 5], [2], [0, 0], [3, 3, 3]):
        for window in (1, 2, 4):
            for categorical in (False, True):
                couples, labels = old_sequence.skipgrams(sequence, 6, window_size=window, negative_samples=0, shuffle=False,
                                                         categorical=categorical)
                cases.append({"sequence": sequence, "window": window, "categorical": categorical, "couples": couples,
                              "labels": labels})
    return cases


def batches():
    """What tf.data makes of rows of different lengths."""
    lengths = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    rows = [[10 * i + j for j in range(n)] for i, n in enumerate(lengths)]

    def rows_dataset():
        return tf.data.Dataset.from_generator(lambda: iter(rows), output_signature=tf.TensorSpec((None,), tf.int32))

    def answer(dataset):
        return [numbers(b.numpy()) for b in dataset]

    bucketed = []
    for options in (
        {"bucket_boundaries": [3, 6], "bucket_batch_sizes": [2, 3, 2]},
        {"bucket_boundaries": [3, 6], "bucket_batch_sizes": [2, 3, 2], "drop_remainder": True},
        {"bucket_boundaries": [4, 10], "bucket_batch_sizes": [4, 2, 1], "pad_to_bucket_boundary": True},
        {"bucket_boundaries": [5], "bucket_batch_sizes": [1, 4], "padding_values": -1},
    ):
        asked = dict(options)
        if "padding_values" in asked:
            asked["padding_values"] = tf.constant(asked["padding_values"], tf.int32)
        bucketed.append({"options": options, "batches": answer(rows_dataset().bucket_by_sequence_length(
            lambda row: tf.shape(row)[0], **asked))})
    padded = []
    for size, shape, value, drop in ((4, None, None, False), (4, None, 7, True), (5, 10, None, False)):
        made = rows_dataset().padded_batch(size, padded_shapes=None if shape is None else (shape,), padding_values=value,
                                           drop_remainder=drop)
        padded.append({"size": size, "shape": shape, "value": value, "drop": drop, "batches": answer(made)})
    windows = []
    for size, shift, stride, drop in ((3, None, 1, False), (3, 1, 1, True), (3, 2, 2, False), (4, 3, 1, True), (2, 5, 3, False)):
        made = tf.data.Dataset.range(10).window(size, shift=shift, stride=stride, drop_remainder=drop)
        windows.append({"size": size, "shift": shift, "stride": stride, "drop": drop,
                        "windows": [list(w.as_numpy_iterator()) for w in made]})
    return {"rows": rows, "bucketed": bucketed, "padded": padded,
            "windows": [{**w, "windows": [[int(v) for v in x] for x in w["windows"]]} for w in windows]}


def shuffles():
    cases = []
    for seed in (0, 1, 113, 2**32 - 1):
        state = np.random.RandomState(seed)
        orders = []
        for n in (1, 2, 10, 1000):
            indices = np.arange(n)
            state.shuffle(indices)
            orders.append(indices.tolist())
        cases.append({"seed": seed, "orders": orders})
    return cases


golden = {
    "made with": f"keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__}: tests/golden/keras_data.py",
    "texts": TEXTS,
    "asked": ASKED,
    "tokenizers": tokenizers(),
    "hashing": hashing(),
    "ngrams": ngrams(),
    "lookups": lookups(),
    "hashes": hashes(),
    "inverses": inverses(),
    "normalizations": normalizations(),
    "discretizations": discretizations(),
    "encodings": encodings(),
    "series": series(),
    "skipgrams": skipgrams(),
    "samplingTable": {str(factor): [float(f"{v:.12g}") for v in old_sequence.make_sampling_table(20, factor)]
                      for factor in (1e-5, 0.1)},
    "batches": batches(),
    "shuffles": shuffles(),
}


def compact(value):
    """JSON with one line for each case."""
    lines = []
    for key, part in value.items():
        if isinstance(part, list) and part and isinstance(part[0], dict):
            inner = ",\n".join("  " + json.dumps(v, ensure_ascii=False, separators=(",", ":")) for v in part)
            lines.append(f" {json.dumps(key)}: [\n{inner}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(part, ensure_ascii=False, separators=(',', ':'))}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


Path(__file__).with_suffix(".json").write_text(compact(golden), encoding="utf-8")
