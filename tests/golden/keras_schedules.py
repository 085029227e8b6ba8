"""Learning rates of Keras' schedules at some steps -> keras_schedules.json. In float64: Keras' float32 is good to 1e-6 only."""

from golden import keras, keras_object, made_with, number, write

STEPS = [0, 1, 2, 10, 99, 1000]

SCHEDULES = [
    ("ExponentialDecay", {"initialLearningRate": 0.1, "decaySteps": 100, "decayRate": 0.96}),
    ("ExponentialDecay", {"initialLearningRate": 0.1, "decaySteps": 7, "decayRate": 0.9, "staircase": True}),
    ("ExponentialDecay", {"initialLearningRate": 0.02, "decaySteps": 300, "decayRate": 1.5}),
    ("PiecewiseConstantDecay", {"boundaries": [1, 50], "values": [0.1, 0.05, 0.001]}),
    ("PiecewiseConstantDecay", {"boundaries": [1, 10, 99, 1000], "values": [5.0, 4.0, 3.0, 2.0, 1.0]}),
    ("PolynomialDecay", {"initialLearningRate": 0.1, "decaySteps": 200}),
    ("PolynomialDecay", {"initialLearningRate": 0.1, "decaySteps": 200, "endLearningRate": 0.01, "power": 0.5}),
    ("PolynomialDecay", {"initialLearningRate": 0.1, "decaySteps": 7, "power": 2.0, "cycle": True}),
    ("PolynomialDecay", {"initialLearningRate": 0.1, "decaySteps": 1300, "power": 1.7, "cycle": True}),
    ("InverseTimeDecay", {"initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5}),
    ("InverseTimeDecay", {"initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5, "staircase": True}),
    ("CosineDecay", {"initialLearningRate": 0.1, "decaySteps": 150}),
    ("CosineDecay", {"initialLearningRate": 0.1, "decaySteps": 1700, "alpha": 0.1}),
    ("CosineDecay", {"initialLearningRate": 0.0, "decaySteps": 1200, "warmupTarget": 0.1, "warmupSteps": 10}),
    ("CosineDecay", {"initialLearningRate": 0.01, "decaySteps": 300, "alpha": 0.2, "warmupTarget": 0.1, "warmupSteps": 99}),
    ("CosineDecay", {"initialLearningRate": 0.1, "decaySteps": 50, "warmupSteps": 20}),
    ("CosineDecayRestarts", {"initialLearningRate": 0.1, "firstDecaySteps": 40}),
    ("CosineDecayRestarts", {"initialLearningRate": 0.1, "firstDecaySteps": 10, "tMul": 1.5, "mMul": 0.9, "alpha": 0.05}),
    ("CosineDecayRestarts", {"initialLearningRate": 0.1, "firstDecaySteps": 30, "tMul": 1.0, "mMul": 0.8}),
]

keras.config.set_floatx("float64")
cases = []
for class_name, config in SCHEDULES:
    schedule = {"className": class_name, "config": config}
    made = keras_object(keras.optimizers.schedules, schedule)
    rates = [number(made(step)) for step in STEPS]
    words = [f"{key} {value}" for key, value in config.items() if key != "initialLearningRate"]
    cases.append({"name": " ".join([class_name, *words]), **schedule, "rates": rates})

write("keras_schedules.py", made_with("keras_schedules.py", "float64", steps=STEPS), cases=cases)
