"""Makes the networks of the paper as ONNX files with manifests, for `castgate bench` and `castgate eval`.

Only the custom network is trained, by the paper's recipe; the four others get random weights: how long a network takes does not
depend on them, and what it says then means nothing. castgate itself needs neither this tool nor Python.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import multiprocessing
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SIDE = 300
TEST = "augmented-test"
NETWORKS = ["custom", "resnet50", "nasnetmobile", "mobilenetv2", "efficientnetb2"]
# What each preprocessing of Keras does to a pixel, as `(pixel / 255 - mean) / std`; the others have it in their graph or take 0 to 1.
SCALES = {
    "custom": (0.0, 1.0),
    "resnet50": (0.45, 0.00392157),
    "nasnetmobile": (0.5, 0.5),
    "mobilenetv2": (0.5, 0.5),
    "efficientnetb2": (0.0, 0.00392157),
}


def custom():
    """The paper's tapered network: ReLU before batch normalisation, no padding; 5,865 parameters."""
    from keras import Sequential, layers

    def conv(channels: int):
        return layers.Conv2D(channels, 3, activation="relu")

    return Sequential(
        [
            layers.Input((SIDE, SIDE, 3)),
            conv(16), layers.BatchNormalization(), layers.MaxPooling2D(),
            conv(16), layers.MaxPooling2D(),
            conv(8), layers.MaxPooling2D(),
            conv(8), layers.BatchNormalization(),
            conv(8), layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )  # fmt: skip


def transfer(name: str):
    """One of the paper's transfer-learning networks: the top replaced by a maximum over places and two classes."""
    from keras import Model, applications, layers, models

    make = {
        "resnet50": applications.ResNet50,
        "nasnetmobile": applications.NASNetMobile,
        "mobilenetv2": applications.MobileNetV2,
        "efficientnetb2": applications.EfficientNetB2,
    }[name]
    side = 224 if name == "nasnetmobile" else SIDE
    base = make(include_top=False, weights=None, input_shape=(side, side, 3), pooling="max")
    if name == "efficientnetb2":
        # Its normalisation by the data's mean has none without weights, and would become a second input of the ONNX graph.
        def same(layer):
            plain = isinstance(layer, layers.Normalization)
            return layers.Identity() if plain else layer.__class__.from_config(layer.get_config())

        base = models.clone_model(base, clone_function=same)
    return Model(base.input, layers.Dense(2, activation="softmax")(base.output))


def pictures(data: Path, subset: str | None, seed: int):
    """Labelled pictures of a split: 0 for good parts, 1 for defective ones."""
    from keras.utils import image_dataset_from_directory

    if not (data / "ok_front").is_dir():
        sys.exit(f"{data}: no folder `ok_front` in it; --data must hold `train/ok_front` and `train/def_front`")
    split = {"validation_split": 0.2, "subset": subset} if subset else {}
    return image_dataset_from_directory(
        data, class_names=["ok_front", "def_front"], label_mode="binary", image_size=(SIDE, SIDE),
        batch_size=32, seed=seed, **split,
    ).map(lambda x, y: (x / 255.0, y))  # fmt: skip


@functools.cache
def changes() -> list:
    """The paper's changes: turned by up to 4 degrees, zoomed and sheared by up to 0.2, flipped both ways."""
    from keras import layers

    return [
        layers.RandomRotation(4 / 360, fill_mode="nearest"),
        layers.RandomZoom(0.2, fill_mode="nearest"),
        layers.RandomShear(0.2, 0.2, fill_mode="nearest"),
        layers.RandomFlip("horizontal_and_vertical"),
    ]


def change(x, y):
    """Changes pictures at random."""
    import tensorflow as tf

    for layer in changes():
        x = layer(x, training=True)
    return tf.clip_by_value(x, 0.0, 1.0), y


def write_augmented(data: Path, out: Path, seed: int) -> None:
    """Writes the official test split, each picture changed as in training, for `castgate eval`."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    for kind in ["ok_front", "def_front"]:
        (out / kind).mkdir(parents=True, exist_ok=True)
        files = sorted((data / "test" / kind).iterdir())
        for file in files:
            picture = tf.image.decode_jpeg(tf.io.read_file(str(file)), channels=3)[None]
            changed, _ = change(tf.cast(picture, tf.float32) / 255.0, None)
            png = tf.image.encode_png(tf.cast(tf.round(changed[0] * 255.0), tf.uint8))
            (out / kind / f"{file.stem}.png").write_bytes(png.numpy())
        print(f"{len(files)} pictures written to {out / kind}")


def train(model, data: Path, epochs: int, augment: bool, seed: int) -> dict:
    """Trains by the paper's recipe and keeps the best epoch; gives the figures of that epoch."""
    from keras import callbacks, optimizers

    training, validation = (pictures(data / "train", subset, seed) for subset in ("training", "validation"))
    if augment:
        training = training.map(change)
    model.compile(optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        training.prefetch(2),
        validation_data=validation.cache().prefetch(2),
        epochs=epochs,
        verbose=2,
        callbacks=[
            callbacks.EarlyStopping("val_loss", patience=epochs, restore_best_weights=True, start_from_epoch=0),
            callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=5),
        ],
    ).history
    best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
    return {"epochs": len(history["val_loss"]), "best": best + 1, "accuracy": history["val_accuracy"][best]}


def build(network: str):
    """The network of that name, with random weights."""
    return custom() if network == "custom" else transfer(network)


def write(network: str, weights: list, name: str, out: Path, command: str, trained: dict | None) -> None:
    """Writes NAME.onnx and its manifest NAME.yaml."""
    import tensorflow as tf
    import tf2onnx

    model = build(network)
    model.set_weights(weights)
    height, width = model.input_shape[1:3]
    model.output_names = ["score"]

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, 3), tf.float32, name="image")])
    def score(image):
        return model(image, training=False)

    onnx = tf2onnx.convert.from_function(score, score.input_signature, opset=17)[0].SerializeToString()
    sigmoid = model.output_shape[-1] == 1
    mean, std = SCALES[network]
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.onnx").write_bytes(onnx)
    measured = "the random fifth of casting/train that was held out; it leaks" if trained else "nothing: random weights"
    (out / f"{name}.yaml").write_text(
        f"""name: {name}
sha256: {hashlib.sha256(onnx).hexdigest()}
input: {{width: {width}, height: {height}, layout: nhwc, colour: rgb, mean: {mean}, std: {std}}}
output: {{kind: {"sigmoid" if sigmoid else "softmax"}, classes: [ok, defect], defect: defect}}
threshold: 0.5
unsure: 0.0
parameters: {model.count_params()}
training:
  command: "{command}"
  castgate: none
  data: {"casting/train" if trained else "none"}
  data_licence: CC BY-NC-ND 4.0
  images: {{train_ok: 0, train_defect: 0, validation_ok: 0, validation_defect: 0}}
  seed: 1
  epochs: {trained["epochs"] if trained else 0}
  best_epoch: {trained["best"] if trained else 0}
  network: [made by models/paper/make.py from Keras layers]
quality:
  measured_on: "{measured}"
  accuracy: {trained["accuracy"] if trained else 0.0:.5f}
  auc: 0.0
  escapes: 0
  false_rejects: 0
""",
        encoding="utf-8",
    )
    print(f"{name}: {model.count_params()} parameters, {len(onnx) / 1e6:.2f} MB, written to {out}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=[*NETWORKS, TEST], help=f"or `{TEST}`: the test split, changed at random")
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.onnx and NAME.yaml")
    parser.add_argument("--data", type=Path, help="folder of the pictures; trains the custom network on its `train`")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--augment", action="store_true", help="train with the paper's changes to the pictures")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.network == TEST:
        if not args.data:
            parser.error("augmented-test needs --data")
        write_augmented(args.data, args.out, args.seed)
        return
    if args.data and args.network != "custom":
        parser.error("only `custom` is trained here; leave --data out for random weights")
    if args.augment and not args.data:
        parser.error("--augment needs --data")

    import keras

    keras.utils.set_random_seed(args.seed)
    model = build(args.network)
    trained = train(model, args.data, args.epochs, args.augment, args.seed) if args.data else None
    name = args.network + ("-augmented" if args.augment else "")
    command = f"python make.py {args.network}" + (f" --data casting --epochs {args.epochs}" if trained else "")
    command += " --augment" if args.augment else ""
    # Training is twice as fast with oneDNN; but tf2onnx cannot read oneDNN's fused nodes, so a process without it converts.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    converter = multiprocessing.get_context("spawn").Process(
        target=write, args=(args.network, model.get_weights(), name, args.out, command, trained)
    )
    converter.start()
    converter.join()
    sys.exit(converter.exitcode)


if __name__ == "__main__":
    main()
