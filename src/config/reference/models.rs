//! The page of the manifest beside a model, from the doc comments of its keys.

use serde_json::Value;

use super::{doc, kind, resolve, text};
use crate::config::manifest::{Manifest, NEEDED};

const HEAD: &str = "\
# Models of one's own

<!-- Generated from the doc comments in src/config/manifest.rs; UPDATE_GOLDEN=1 cargo test --test it fresh:: writes it anew. -->

castgate runs image classifiers of two classes as ONNX files. Beside `part.onnx` lies its manifest, `part.yaml`: what goes in, what comes
out, and where the model says DEFECT. `model.path` in the configuration names the ONNX file.

```sh
castgate model describe part.onnx                                    # says what the file holds, and writes part.yaml to begin with
castgate inspect --model part.onnx picture.png                       # every mistake of the manifest at once, then a score
castgate threshold --model part.onnx --data FOLDER --write           # chooses the threshold by labelled pictures
castgate eval --model part.onnx --data FOLDER                        # how good it is
```

Only the one who trained the network knows how pixels were scaled, in which order colours went in, and which class is which: `describe`
leaves these out, and the model is refused until they are written. A mistake there passes defective parts, so prove the model with
`castgate eval` on labelled pictures before it goes on a line.

A network for grey pictures that answers with one probability:

```yaml
name: part
sha256: 3d511aedd0178e5e4c4b1cfb192fbac2b824b5f733f015cae6f8aaff5828f5c8
input: {width: 128, height: 128, layout: nchw, colour: grey, mean: 0.5, std: 0.25}
output: {kind: sigmoid, classes: [ok, defect], defect: defect}
threshold: 0.5
unsure: 0
```

One for coloured pictures with a probability for each class, with the means and deviations of ImageNet; `def_front` comes before
`ok_front`, as Keras and PyTorch sort folders:

```yaml
name: part
sha256: 3d511aedd0178e5e4c4b1cfb192fbac2b824b5f733f015cae6f8aaff5828f5c8
input:
  width: 224
  height: 224
  layout: nchw
  colour: rgb
  mean: [0.485, 0.456, 0.406]
  std: [0.229, 0.224, 0.225]
output: {kind: softmax, classes: [def_front, ok_front], defect: def_front}
threshold: 0.5
unsure: 0.05
```

## Exporting

- In inference mode: `model.eval()` in PyTorch, `training=False` in Keras. Batch normalisation or dropout in training mode is refused.
- In float32, not quantised, with operator set 9 to 23 (17 suits), as one file without external data.
- One picture in (float32, four dimensions, a batch of one or a free one), 8 to 1024 pixels a side; two classes out.
- With its last sigmoid or softmax, or without: then `output.kind` is `logit` or `logits`.
";

/// The groups of a manifest and their keys, in the order in which one writes them.
const GROUPS: &[(&str, &[&str])] = &[
    ("", &["name", "sha256", "input", "output", "threshold", "unsure", "parameters", "training", "quality"]),
    ("input", &["width", "height", "layout", "colour", "range", "mean", "std", "normalise", "familiar"]),
    ("output", &["name", "kind", "classes", "defect"]),
];

/// The page, as Markdown.
pub fn models() -> String {
    let schema = schemars::schema_for!(Manifest).to_value();
    let mut out = HEAD.to_owned();
    for (group, keys) in GROUPS {
        let title = if group.is_empty() { "Keys".to_owned() } else { format!("`{group}`") };
        out.push_str(&format!("\n## {title}\n\n| key | value | needed | meaning |\n|---|---|---|---|\n"));
        for name in *keys {
            let field = &group_of(&schema, group)["properties"][*name];
            let target = resolve(&schema, field);
            let path = if group.is_empty() { (*name).to_owned() } else { format!("{group}.{name}") };
            let needed = NEEDED.iter().any(|(key, _)| *key == path);
            let mut meaning = doc(field);
            let words = target["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
            for word in words {
                meaning.push_str(&format!("<br>`{}`: {}", text(&word["const"]), doc(word)));
            }
            let row =
                [format!("`{name}`"), kind(target), if needed { "yes" } else { "no" }.to_owned(), meaning];
            out.push_str(&format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
    }
    out
}

fn group_of<'a>(schema: &'a Value, group: &str) -> &'a Value {
    if group.is_empty() { schema } else { resolve(schema, &schema["properties"][group]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict::yaml;

    #[test]
    fn every_key_is_on_the_page_and_has_its_meaning() {
        let schema = schemars::schema_for!(Manifest).to_value();
        for (group, keys) in GROUPS {
            let properties = group_of(&schema, group)["properties"].as_object().unwrap();
            let mut there: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut told = keys.to_vec();
            there.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, there, "{group}");
            for (name, field) in properties {
                assert!(!doc(field).is_empty(), "{group} {name}");
                assert!(!kind(resolve(&schema, field)).is_empty(), "{group} {name}");
            }
        }
    }

    #[test]
    fn the_examples_are_sound() {
        let examples: Vec<&str> =
            HEAD.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert_eq!(examples.len(), 2);
        for example in examples {
            yaml::from_str::<Manifest>(example).unwrap();
            assert!(yaml::missing(example, NEEDED).is_empty());
        }
    }
}
