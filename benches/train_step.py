"""The same training step by Keras, on one core, for comparison: `taskset -c 0 python benches/train_step.py`.

Needs tensorflow-cpu. Without augmentation, which castgate's figure includes.
"""

import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

BATCH, STEPS, ROUNDS = 32, 8, 5

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
layers = keras.layers
for side in (128, 300):
    model = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    x = np.random.default_rng(1).random((BATCH, side, side, 1), dtype=np.float32)
    y = (np.arange(BATCH) % 2).astype(np.float32)[:, None]
    for _ in range(3):
        model.train_on_batch(x, y)
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(STEPS):
            model.train_on_batch(x, y)
        best = max(best, STEPS * BATCH / (time.process_time() - start))
    print(f"keras     {side}x{side} grey, batch {BATCH}: {best:.0f} pictures a CPU-second")
