"""Models that Keras 3 has saved, with an input and its prediction, for tests/formats/keras.test.ts.

    KERAS_BACKEND=torch python tests/formats/make_keras.py

Made with Keras 3.15.1 and torch 2.13.0. Writes tests/formats/keras.zip: for each model NAME.keras, and cases.json with inputs (as
Keras' model.predict takes them), predictions, and for models that were trained the losses of three epochs more. Legacy files (.h5,
.weights.h5) of some models lie beside them.
"""

import io
import json
import os
import random
import sys
import tempfile
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402

N, T, I = 3, 5, 3  # samples, steps, features
MODELS = {}
rng = np.random.default_rng(11)


def case(make):
    MODELS[make.__name__] = make
    return make


def seq(*layers, shape=(T, I), dtype=None, **options):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers], **options)


def floats(*shape):
    return rng.normal(size=shape or (N, T, I)).astype("float32").round(3)


def ids(vocabulary=7, *shape):
    return rng.integers(0, vocabulary, size=shape or (N, T)).astype("int32")


# ------------------------------------------------------------------------------------------------------- recurrent


@case
def simple_rnn():
    return seq(L.SimpleRNN(4, activation="relu", use_bias=False), L.Dense(2)), floats()


@case
def lstm():
    return seq(L.LSTM(4, return_sequences=True), L.LSTM(3), L.Dense(1, "sigmoid")), floats()


@case
def lstm_hard():
    layer = L.LSTM(3, recurrent_activation="hard_sigmoid", unit_forget_bias=False, go_backwards=True, dropout=0.2)
    return seq(layer, shape=(None, I)), floats()


@case
def gru():
    return seq(L.GRU(4), L.Dense(3, "softmax")), floats()


@case
def gru_before():
    return seq(L.GRU(4, reset_after=False, activation="selu", recurrent_dropout=0.3)), floats()


@case
def imdb():
    return seq(L.Embedding(7, 4, mask_zero=True), L.LSTM(3), L.Dense(1, "sigmoid"), shape=(T,)), ids()


@case
def masked_sequences():
    x = floats()
    x[0, 3:] = 0
    x[1, :2] = 0
    layers = [
        L.Masking(0.0),
        L.Bidirectional(L.GRU(3, return_sequences=True)),
        L.GRU(2, return_sequences=True, zero_output_for_mask=True),
        L.TimeDistributed(L.Dense(2)),
    ]
    return seq(*layers), x


@case
def bidirectional_concat():
    return seq(L.Bidirectional(L.LSTM(3)), L.Dense(2)), floats()


@case
def bidirectional_sum():
    return seq(L.Bidirectional(L.SimpleRNN(3, return_sequences=True), merge_mode="sum")), floats()


@case
def bidirectional_mul():
    return seq(L.Bidirectional(L.GRU(3), merge_mode="mul")), floats()


@case
def bidirectional_ave():
    return seq(L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="ave")), floats()


@case
def bidirectional_none():
    x = keras.Input((T, I))
    return keras.Model(x, L.Bidirectional(L.GRU(2), merge_mode=None)(x)), floats()


@case
def bidirectional_two_layers():
    back = L.GRU(3, go_backwards=True, activation="elu", name="from_the_end")
    return seq(L.Bidirectional(L.LSTM(3), backward_layer=back)), floats()


@case
def bidirectional_states():
    x = keras.Input((T, I))
    y, *states = L.Bidirectional(L.LSTM(2, return_sequences=True, return_state=True))(x)
    z = L.Bidirectional(L.LSTM(2))(y, initial_state=states)
    return keras.Model(x, [z, *states]), floats()


@case
def stacked_cells():
    cells = [L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2), L.LSTMCell(2)]
    return seq(L.RNN(cells, return_sequences=True)), floats()


@case
def rnn_over_cell():
    return seq(L.RNN(L.GRUCell(3, reset_after=False), go_backwards=True)), floats()


@case
def bidirectional_rnn():
    return seq(L.Bidirectional(L.RNN([L.LSTMCell(2), L.LSTMCell(3)]))), floats()


@case
def stateful():
    model = keras.Sequential(
        [keras.Input(batch_shape=(N, T, I)), L.GRU(3, stateful=True, return_sequences=True), L.LSTM(2, stateful=True)]
    )
    return model, floats()


@case
def encoder_decoder():
    source = keras.Input((None,), name="source")
    target = keras.Input((None,), name="target")
    _, h, c = L.LSTM(4, return_state=True, name="encoder")(L.Embedding(6, 3, mask_zero=True, name="of_source")(source))
    embedded = L.Embedding(7, 3, name="of_target")(target)
    y, _, _ = L.LSTM(4, return_sequences=True, return_state=True, name="decoder")(embedded, initial_state=[h, c])
    out = L.Dense(7, activation="softmax", name="words")(y)
    return keras.Model([source, target], out, name="translation"), [ids(6), ids(7, N, 4)]


@case
def gru_initial_state():
    x = keras.Input((T, I))
    start = keras.Input((4,))
    return keras.Model([x, start], L.GRU(4)(x, initial_state=start)), [floats(), floats(N, 4)]


@case
def explicit_mask():
    x = keras.Input((T, I))
    kept = keras.Input((T,), dtype="bool")
    return keras.Model([x, kept], L.LSTM(3)(x, mask=kept)), [floats(), rng.integers(0, 2, size=(N, T)).astype("bool")]


# ------------------------------------------------------------------------------------------------- other layers


@case
def time_distributed():
    inner = keras.Sequential([keras.Input((4, I)), L.Conv1D(3, 2), L.GlobalMaxPooling1D()])
    return seq(L.TimeDistributed(inner), L.GRU(3), shape=(T, 4, I)), floats(N, T, 4, I)


@case
def convolutions():
    layers = [
        L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        L.Conv1D(6, 2, strides=2, padding="same", groups=2),
        L.DepthwiseConv1D(2, depth_multiplier=2),
        L.SeparableConv1D(3, 2, padding="same", activation="tanh"),
        L.Conv1DTranspose(2, 3, strides=2, padding="same"),
    ]
    return seq(*layers, shape=(12, 4)), floats(N, 12, 4)


@case
def pooling():
    x = keras.Input((8, I))
    parts = [
        L.GlobalMaxPooling1D()(L.MaxPooling1D(3, strides=2, padding="same")(x)),
        L.GlobalAveragePooling1D()(L.AveragePooling1D(2)(x)),
        L.Flatten()(L.GlobalMaxPooling1D(keepdims=True)(x)),
    ]
    return keras.Model(x, L.Concatenate()(parts)), floats(N, 8, I)


@case
def resizing():
    layers = [L.UpSampling1D(2), L.ZeroPadding1D((1, 3)), L.Cropping1D((2, 1)), L.Permute((2, 1)), L.Reshape((-1, 11)), L.Flatten()]
    return seq(*layers, L.RepeatVector(3)), floats()


@case
def normalizations():
    model = seq(L.LayerNormalization(epsilon=0.01), L.BatchNormalization(momentum=0.5), L.LayerNormalization(axis=[1, 2], scale=False))
    model.compile("sgd", "mse")
    model.fit(floats(), floats(), epochs=3, verbose=0)
    return model, floats()


@case
def noise():
    return seq(L.Dropout(0.3, seed=4), L.SpatialDropout1D(0.2), L.GaussianNoise(0.1), L.Dense(2), L.ActivityRegularization(l1=0.1)), floats()


@case
def merges():
    a, b = keras.Input((T, I)), keras.Input((T, I))
    x, y = L.Dense(3)(a), L.Dense(3)(b)
    outs = [kind()([x, y]) for kind in (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)]
    outs.append(L.Dot(axes=(2, 2), normalize=True)([x, y]))
    outs.append(L.Concatenate(axis=1)([x, y]))
    return keras.Model([a, b], outs), [floats(), floats()]


@case
def activations():
    names = "relu relu6 leaky_relu elu celu selu gelu silu mish softplus softsign soft_shrink hard_shrink tanh_shrink hard_tanh "
    names += "hard_sigmoid hard_silu log_sigmoid log_softmax softmax sparsemax sparse_plus squareplus exponential tanh sigmoid"
    x = keras.Input((4,))
    outs = [L.Activation("glu")(x)]
    for name in names.split():
        outs.append(L.Dense(3, activation=name)(x))
    return keras.Model(x, L.Concatenate()(outs)), floats(N, 4)


@case
def limits():
    R, C, J = keras.regularizers, keras.constraints, keras.initializers
    layers = [
        L.Dense(4, kernel_regularizer=R.L1L2(0.1, 0.2), bias_regularizer="l2", kernel_constraint=C.MaxNorm(3, axis=0)),
        L.Dense(3, kernel_initializer=J.VarianceScaling(2.0, "fan_out", "uniform"), bias_initializer=J.Constant(0.5)),
        L.SimpleRNN(3, recurrent_initializer=J.Identity(0.5), kernel_constraint=C.MinMaxNorm(0.1, 0.9)),
        L.Dense(3, kernel_regularizer=R.OrthogonalRegularizer(0.1, mode="columns"), kernel_constraint="non_neg"),
        L.Dense(2, bias_constraint=C.UnitNorm(axis=0), activity_regularizer="l1", kernel_initializer=J.RandomNormal(0.1, 0.2)),
    ]
    return seq(*layers), floats()


# ------------------------------------------------------------------------------------------------------- graphs


@case
def shared():
    x = keras.Input((T, I))
    dense, lstm_ = L.Dense(3, activation="tanh"), L.LSTM(3, return_sequences=True)
    y = lstm_(dense(dense(x)))
    return keras.Model(x, [L.GRU(2)(lstm_(y)), dense(y)]), floats()


@case
def siamese():
    inner = seq(L.GRU(4), L.Dense(3), name="encoder")
    a, b = keras.Input((T, I), name="left"), keras.Input((T, I), name="right")
    return keras.Model([a, b], L.Dot(axes=1)([inner(a), inner(b)])), [floats(), floats()]


@case
def nested_functional():
    x = keras.Input((T, I))
    y, state = L.GRU(3, return_sequences=True, return_state=True)(x)
    inner = keras.Model(x, [y, state], name="inside")
    deeper = keras.Sequential([keras.Input((3,)), L.Dense(4), seq(L.Dense(2), shape=(4,), name="deepest")], name="deeper")
    start = keras.Input((T, I))
    sequence, last = inner(start)
    return keras.Model(start, [L.LSTM(2)(sequence), deeper(last)], name="outside"), floats()


@case
def two_outputs():
    x = keras.Input((T,), name="ids")
    y = L.GRU(3, name="body")(L.Embedding(9, 4, name="table")(x))
    model = keras.Model(x, {"score": L.Dense(1, name="score")(y), "kind": L.Dense(3, "softmax", name="kind")(y)})
    model.compile("adam", {"score": "mse", "kind": "sparse_categorical_crossentropy"}, loss_weights={"score": 0.5, "kind": 2.0})
    return model, ids(9)


@case
def odd_names():
    return seq(L.LSTM(3, name="the LSTM-layer 1"), L.Dense(2, name="dense_17"), L.Dense(2, name="dense"), name="my model"), floats()


@case
def frozen():
    model = seq(L.GRU(3, return_sequences=True, trainable=False), L.TimeDistributed(L.Dense(2, trainable=False)), L.GRU(2))
    model.compile("adam", "mse")
    model.fit(floats(), floats(N, 2), verbose=0)
    return model, floats()


@case
def built_by_a_call():
    model = keras.Sequential([L.Conv1D(3, 2), L.GRU(2)])
    x = floats()
    model(x)
    return model, x


@case
def masks_in_graphs():
    a, b = keras.Input((T,), name="a"), keras.Input((T,), name="b")
    table = L.Embedding(7, 4, mask_zero=True)
    x, y = table(a), table(b)
    both = L.Add()([x, L.Dropout(0.1)(y)])
    behind = L.Concatenate(axis=1)([L.LSTM(3, return_sequences=True)(both), L.GRU(3, return_sequences=True)(y)])
    values = keras.Input((T, I), name="values")
    kept = L.Masking(0.5)(values)
    outs = [L.Bidirectional(L.GRU(2))(behind), L.GlobalAveragePooling1D()(both), L.LSTM(2)(L.TimeDistributed(L.Dense(3))(kept))]
    v = floats()
    v[:, 2] = 0.5
    return keras.Model([a, b, values], outs), [ids(3), ids(4), v]


@case
def many_alike():
    layers = [L.Dense(3) for _ in range(3)] + [L.GRU(3, return_sequences=True) for _ in range(2)] + [L.Dense(2)]
    return seq(*layers), floats()


# ------------------------------------------------------------------------------------------------------ compiled


def trained(name, optimizer, loss="mse", metrics=None, out=2, activation=None, target=None, body=None):
    def make():
        layers = body() if body else [L.GRU(3)]
        model = seq(*layers, L.Dense(out, activation=activation))
        model.compile(optimizer(), loss() if callable(loss) else loss, metrics=metrics() if callable(metrics) else metrics)
        x, y = floats(8, T, I), target() if target else floats(8, out)
        model.fit(x, y, epochs=3, batch_size=3, shuffle=False, verbose=0)
        return model, floats(), (x, y)

    make.__name__ = name
    case(make)


O, S = keras.optimizers, keras.optimizers.schedules
trained("with_sgd", lambda: O.SGD(0.1))
trained("with_momentum", lambda: O.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0))
trained("with_rmsprop", lambda: O.RMSprop(0.01), metrics=["mae"])
trained("with_rmsprop_all", lambda: O.RMSprop(0.01, momentum=0.5, centered=True, weight_decay=0.01))
trained("with_adam", lambda: O.Adam(0.01), metrics=["mae"])
trained("with_amsgrad", lambda: O.Adam(0.01, amsgrad=True, global_clipnorm=0.5))
trained("with_adamw", lambda: O.AdamW(0.02, clipvalue=0.5))
trained("with_nadam", lambda: O.Nadam(0.02))
trained("with_adamax", lambda: O.Adamax(0.02))
trained("with_adagrad", lambda: O.Adagrad(0.1))
trained("with_adadelta", lambda: O.Adadelta(1.0))
trained("with_lion", lambda: O.Lion(0.01))
trained("with_schedule", lambda: O.Adam(S.CosineDecay(0.02, 30, warmup_target=0.05, warmup_steps=5)))
trained(
    "with_objects",
    lambda: O.Adam(S.PiecewiseConstantDecay([4, 8], [0.1, 0.05, 0.01])),
    lambda: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    lambda: [keras.metrics.CategoricalAccuracy(name="right"), keras.metrics.AUC(curve="PR", from_logits=True), "accuracy"],
    target=lambda: np.eye(2)[rng.integers(0, 2, size=8)].astype("float32"),
)
trained(
    "with_classes",
    lambda: O.RMSprop(S.ExponentialDecay(0.05, 5, 0.5, staircase=True)),
    "sparse_categorical_crossentropy",
    lambda: ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)],
    out=4,
    activation="softmax",
    target=lambda: rng.integers(0, 4, size=(8,)).astype("int32"),
)
trained(
    "with_normalization",
    lambda: O.Adam(0.05),
    body=lambda: [L.Dense(4, use_bias=False), L.BatchNormalization(), L.Bidirectional(L.LSTM(2, return_sequences=True)), L.LSTM(3)],
)
trained(
    "with_frozen",
    lambda: O.Adam(0.05),
    body=lambda: [L.Dense(4, trainable=False), L.RNN([L.LSTMCell(3), L.GRUCell(2)])],
)


# ------------------------------------------------------------------------------------- models at the ends of graphs


def inner_model(name, body, *shape):
    x = keras.Input(shape)
    return keras.Model(x, body(x), name=name)


@case
def models_at_both_ends():
    first = inner_model("first", L.GRU(3, return_sequences=True), T, I)
    last = inner_model("last", lambda x: [L.LSTM(2)(x), L.Dense(4)(x)], T, 3)
    x = keras.Input((T, I))
    return keras.Model(x, last(first(x)), name="outside"), floats()


@case
def models_with_several_ends():
    a, b = keras.Input((T, I), name="a"), keras.Input((2,), name="b")
    y, state = L.GRU(2, return_sequences=True, return_state=True)(a, initial_state=b)
    inner = keras.Model([a, b], [y, state], name="inner")
    # Its inputs are the graph's, and its outputs, once as they are and once in the other order, too.
    p, q = keras.Input((T, I)), keras.Input((2,))
    sequence, last = inner([p, q])
    again, end = inner([p, L.Dense(2, activation="tanh")(last)])
    return keras.Model([q, p], [end, sequence, again]), [floats(N, 2), floats()]


@case
def model_inside_taken_apart():
    # The outer graph begins at the inner one's own input and goes on from its own output.
    first = inner_model("first", lambda x: L.GRU(3, return_sequences=True, name="body")(L.Dense(2)(x)), T, I)
    last = inner_model("last", L.LSTM(2), T, 3)
    return keras.Model(first.input, last(first.output)), floats()


@case
def model_used_twice():
    shared_ = inner_model("shared", L.GRU(3, return_sequences=True), T, 3)
    a, b = keras.Input((T, 3)), keras.Input((T, 3))
    return keras.Model([a, b], [shared_(a), shared_(shared_(b)), L.Add()([shared_(a), b])]), [floats(), floats()]


@case
def model_used_before():
    # Its first call belongs to another graph.
    shared_ = inner_model("shared", L.LSTM(3, return_sequences=True), T, 3)
    shared_(keras.Input((T, 3)))
    x = keras.Input((T, I))
    y = shared_(L.Dense(3)(x))
    return keras.Model(x, [y, shared_(y)]), floats()


@case
def stack_of_models():
    deep = keras.Sequential([keras.Input((T, 3)), L.LSTM(4, return_sequences=True), inner_model("deepest", L.GRU(2), T, 4)], name="deep")
    return keras.Sequential([inner_model("first", L.SimpleRNN(3, return_sequences=True), T, I), L.Dense(3), deep]), floats()


@case
def stack_used_twice():
    twin = seq(L.Dense(4, activation="tanh"), L.GRU(3), name="twin")
    a, b = keras.Input((T, I)), keras.Input((T, I))
    return keras.Model([a, b], [twin(a), twin(b)]), [floats(), floats()]


# ----------------------------------------------------------------------------------------------------- nested states


@case
def stack_with_states():
    x = keras.Input((T, I))
    y, *states = L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_sequences=True, return_state=True)(x)
    z = L.RNN([L.LSTMCell(2), L.GRUCell(3)])(y, initial_state=states)
    return keras.Model(x, [z, *keras.tree.flatten(states)]), floats()


@case
def stack_with_states_as_they_come():
    # The structure of the outputs is that of what the layer gives: (y, [h, c], h).
    x = keras.Input((T, I))
    return keras.Model(x, L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_state=True)(x)), floats()


@case
def stack_with_given_states():
    x, h, c, g = keras.Input((T, I)), keras.Input((2,)), keras.Input((2,)), keras.Input((3,))
    y, *states = L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_state=True)(x, initial_state=[[h, c], g])
    return keras.Model([x, h, c, g], [y, *keras.tree.flatten(states)]), [floats(), floats(N, 2), floats(N, 2), floats(N, 3)]


@case
def bidirectional_stack_with_states():
    x = keras.Input((T, I))
    y, *states = L.Bidirectional(L.RNN([L.LSTMCell(2), L.GRUCell(3)], return_sequences=True, return_state=True))(x)
    z = L.Bidirectional(L.RNN([L.LSTMCell(2), L.GRUCell(3)]))(y, initial_state=states)
    return keras.Model(x, [z, *keras.tree.flatten(states)]), floats()


@case
def activation_layers():
    layers = [L.Dense(4), L.ReLU(6.0), L.Dense(4), L.LeakyReLU(0.2), L.Dense(4), L.ReLU(negative_slope=0.2), L.ELU(), L.GRU(3), L.ReLU(), L.Dense(4), L.Softmax()]
    return seq(*layers), floats()


@case
def softmax_layers():
    x = keras.Input((T, I))
    return keras.Model(x, [L.Softmax(axis=2)(x), L.Softmax()(L.Dense(4)(x)), L.Softmax(axis=1)(L.GRU(3)(x))]), floats()


# ----------------------------------------------------------------------------------------------------- attention


@case
def attention_kinds():
    a, b = keras.Input((None,), name="a"), keras.Input((4,), name="b")
    kept, seen = keras.Input((4,), dtype="bool", name="kept"), keras.Input((4,), name="seen")
    x, y = L.Embedding(7, 3, mask_zero=True)(a), L.Embedding(7, 3, mask_zero=True)(b)
    luong, scores = L.Attention(use_scale=True)([y, x], return_attention_scores=True)
    outs = [
        luong,
        L.Attention(score_mode="concat", use_scale=True, dropout=0.2, seed=3)([x, y, L.Dense(3)(y)]),
        L.AdditiveAttention()([x, x], use_causal_mask=True),
        L.AdditiveAttention(use_scale=False)([y, y], mask=[kept, seen]),
        L.Attention()([y, y, y], mask=[None, kept]),
    ]
    return keras.Model([a, b, kept, seen], [*outs, scores]), [
        ids(3, N, 6), ids(3, N, 4), rng.integers(0, 2, size=(N, 4)).astype("bool"), np.ones((N, 4), "float32")
    ]


@case
def multi_head_attention():
    a, b = keras.Input((5,), name="a"), keras.Input((4, I), name="b")
    may, kept = keras.Input((5, 4), name="may"), keras.Input((4,), dtype="bool", name="kept")
    x = L.Embedding(7, 4, mask_zero=True)(a)
    first = L.MultiHeadAttention(2, 3)(query=x, value=b, key=b, attention_mask=may)
    second, scores = L.MultiHeadAttention(3, 2, value_dim=5, use_gate=True, output_shape=(2, 3), dropout=0.1, seed=5)(
        first, b, value_mask=kept, key_mask=kept, use_causal_mask=True, return_attention_scores=True
    )
    third = L.MultiHeadAttention(1, 4, sliding_window=2, use_bias=False, kernel_initializer="he_normal")(first, first)
    outs = [second, scores, L.GRU(2)(L.Add()([first, third]))]
    return keras.Model([a, b, may, kept], outs), [
        ids(3), floats(N, 4, I), rng.integers(0, 2, size=(N, 5, 4)).astype("float32"), np.array([[1, 1, 0, 1]] * N, "bool")
    ]


@case
def transformer():
    x = keras.Input((6,), name="ids")
    y = L.Embedding(9, 4, mask_zero=True)(x)
    for _ in range(2):
        y = L.LayerNormalization()(L.Add()([y, L.MultiHeadAttention(2, 3)(y, y)]))
        y = L.LayerNormalization()(L.Add()([y, L.Dense(4)(L.Dense(6, "relu")(y))]))
    model = keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(y)))
    model.compile(O.Adam(0.01), "mse")
    # Without padding: where a query sees nothing torch's gradients are not those of the other backends (golden/keras_attention.py).
    train_x, train_y = np.maximum(ids(9, 8, 6), 1), floats(8, 2)
    model.fit(train_x, train_y, epochs=3, batch_size=3, shuffle=False, verbose=0)
    x = ids(4, N, 6)
    x[:, 2] = 1
    return model, x, (train_x, train_y)


@case
def translation_with_attention():
    source, target = keras.Input((None,), name="source"), keras.Input((None,), name="target")
    x, h, c = L.LSTM(4, return_sequences=True, return_state=True)(L.Embedding(6, 3, mask_zero=True)(source))
    y = L.LSTM(4, return_sequences=True)(L.Embedding(7, 3)(target), initial_state=[h, c])
    out = L.Dense(7, activation="softmax")(L.Concatenate()([y, L.Attention()([y, x])]))
    return keras.Model([source, target], out), [ids(6, N, 5), ids(7, N, 4)]


# What models may be compiled with in Keras and not here, each with what an error names.
REFUSED = {
    "Ftrl": lambda: dict(optimizer=O.Ftrl(0.1), loss="mse"),
    "Adafactor": lambda: dict(optimizer=O.Adafactor(0.1), loss="mse"),
    "Lamb": lambda: dict(optimizer=O.Lamb(0.1), loss="mse"),
    "Muon": lambda: dict(optimizer=O.Muon(0.1), loss="mse"),
    "ScheduleFreeAdamW": lambda: dict(optimizer=O.ScheduleFreeAdamW(0.1), loss="mse"),
    "LossScaleOptimizer": lambda: dict(optimizer=O.LossScaleOptimizer(O.Adam(0.1)), loss="mse"),
    "use_ema": lambda: dict(optimizer=O.Adam(0.1, use_ema=True), loss="mse"),
    "gradient_accumulation_steps": lambda: dict(optimizer=O.SGD(0.1, gradient_accumulation_steps=2), loss="mse"),
    "loss_scale_factor": lambda: dict(optimizer=O.SGD(0.1, loss_scale_factor=8.0), loss="mse"),
    "Circle": lambda: dict(optimizer="sgd", loss=keras.losses.Circle()),
    "circle": lambda: dict(optimizer="sgd", loss="circle"),
    "CTC": lambda: dict(optimizer="sgd", loss=keras.losses.CTC()),
    "ctc": lambda: dict(optimizer="sgd", loss="ctc"),
    "CategoricalGeneralizedCrossEntropy": lambda: dict(optimizer="sgd", loss=keras.losses.CategoricalGeneralizedCrossEntropy()),
    "ignore_class": lambda: dict(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0)),
    "MeanIoU": lambda: dict(optimizer="sgd", loss="mse", metrics=[keras.metrics.MeanIoU(2)]),
    "PearsonCorrelation": lambda: dict(optimizer="sgd", loss="mse", metrics=["mae", keras.metrics.PearsonCorrelation()]),
    "ConcordanceCorrelation": lambda: dict(optimizer="sgd", loss="mse", weighted_metrics=[keras.metrics.ConcordanceCorrelation()]),
}


def refused():
    configs = {}
    for name, options in REFUSED.items():
        model = seq(L.Dense(2), shape=(3,))
        model.compile(**options())
        configs[name] = json.loads(json.dumps(model.get_compile_config()))
    return configs


LEGACY = ["lstm", "gru", "imdb", "bidirectional_concat", "stacked_cells", "convolutions", "shared", "nested_functional"]
LEGACY += ["encoder_decoder", "normalizations", "with_adam", "with_rmsprop_all", "with_normalization", "two_outputs", "odd_names"]
LEGACY += ["models_at_both_ends", "model_used_twice", "model_used_before", "stack_with_states", "activation_layers"]
LEGACY += ["attention_kinds", "multi_head_attention", "transformer", "translation_with_attention"]
WEIGHTS = ["lstm", "stacked_cells", "nested_functional", "shared", "with_normalization", "many_alike", "multi_head_attention"]


def plain(values):
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        return [plain(each) for each in keras.tree.flatten(values)]
    values = np.asarray(values)
    kind = "int32" if values.dtype.kind in "iub" else "float32"
    return {"shape": list(values.shape), "dtype": kind, "data": [float(f"{v:.8g}") if kind == "float32" else int(v) for v in values.ravel()]}


def as_list(values):
    return values if isinstance(values, list) else [values]


def main():
    cases, archive = {}, io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out, tempfile.TemporaryDirectory() as folder:
        # One date in all files: the same bytes each time.
        put = lambda name, data: out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)

        def keep(name, save):
            path = os.path.join(folder, name)
            save(path)
            with open(path, "rb") as file:
                put(name, file.read())

        for name, make in MODELS.items():
            if len(sys.argv) > 1 and name not in sys.argv[1:]:
                continue
            print(name, flush=True)
            keras.backend.clear_session()
            keras.utils.set_random_seed(3)
            random.seed(3)
            model, x, *data = make()
            # What initializers leave at zero says nothing of where it is read.
            if not data and name != "normalizations":
                for weight in model.weights:
                    weight.assign(np.asarray(weight) + rng.normal(size=weight.shape).astype("float32") * 0.1)
                model.reset_states() if hasattr(model, "reset_states") else None
            keep(f"{name}.keras", model.save)
            if name in LEGACY:
                keep(f"{name}.h5", model.save)
            if name in WEIGHTS:
                keep(f"{name}.weights.h5", model.save_weights)
            given = as_list(x)
            entry = {"x": [plain(each) for each in given], "y": as_list(plain(model.predict(x, verbose=0)))}
            if data:
                (train_x, train_y) = data[0]
                history = model.fit(train_x, train_y, epochs=3, batch_size=3, shuffle=False, verbose=0).history
                entry["more"] = {"x": plain(train_x), "y": plain(train_y), "history": history, "after": as_list(plain(model.predict(x, verbose=0)))}
            cases[name] = entry
        put("cases.json", json.dumps(cases))
        put("compile.json", json.dumps(refused()))
    path = os.path.join(os.path.dirname(__file__), "keras.zip")
    if len(sys.argv) == 1:
        with open(path, "wb") as file:
            file.write(archive.getvalue())
    print(len(cases), "models,", len(archive.getvalue()), "bytes")


main()
