"""Makes step.json: one training step of a small tapered network by Keras, in float64.

Needs tensorflow-cpu (made with Keras 3). Run: python make.py > step.json
Nothing here comes from a picture: pixels and weights are drawn from a seed.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

NETWORK, SIDE, BATCH, RATE = "4np-3p-2n-2n-d5", 26, 4, 0.001

keras.backend.set_floatx("float64")
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((SIDE, SIDE, 1)),
        layers.Conv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(2),
        layers.Conv2D(3, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(2, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv2D(2, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(5, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
random = np.random.default_rng(2)
for variable in model.trainable_variables:
    variable.assign(np.round(variable.numpy() * 0 + random.normal(0.1, 0.4, variable.shape), 3))
model.layers[1].gamma.assign([0.9, -0.7, 1.2, 0.5])
pixels = random.integers(0, 256, (BATCH, SIDE, SIDE, 1))
targets = np.array([0.0, 1.0, 1.0, 0.0])


def flat(values):
    return [float(x) for value in values for x in np.asarray(value).ravel()]


before = flat(model.trainable_variables)
with tf.GradientTape() as tape:
    scores = model(pixels / 255.0, training=True)
    loss = keras.losses.BinaryCrossentropy()(targets[:, None], scores)
gradient = tape.gradient(loss, [v.value for v in model.trainable_variables])
keras.optimizers.Adam(RATE).apply_gradients(zip(gradient, model.trainable_variables))
json.dump(
    {
        "network": NETWORK,
        "side": SIDE,
        "rate": RATE,
        "pixels": pixels.reshape(BATCH, -1).tolist(),
        "targets": targets.tolist(),
        "parameters": before,
        "loss": float(loss),
        "gradient": flat(gradient),
        "stepped": flat(model.trainable_variables),
    },
    open("/dev/stdout", "w"),
)
