//! Damaged pictures through the built program: named, with a reject, a line of an audit or an unusable frame, never judged.

use std::path::Path;

use crate::golden::castgate;

fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = castgate().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), text.concat())
}

/// A JPEG of a grey ramp; `damaged` loses a third of its data, and keeps its end marker.
fn jpeg(path: &Path, damaged: bool) {
    let mut bytes = Vec::new();
    let picture = image::GrayImage::from_fn(300, 300, |x, y| image::Luma([(x + y * x % 7) as u8]));
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).unwrap();
    if damaged {
        bytes.truncate(bytes.len() * 2 / 3);
        while bytes.last() == Some(&0xFF) {
            bytes.pop();
        }
        bytes.extend([0xFF, 0xD9]);
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_jpeg_that_lost_its_tail_is_named_by_inspect_and_audit() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["ok_front", "def_front"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        for (name, damaged) in [("whole.jpg", false), ("cut.jpg", true)] {
            jpeg(&dir.path().join(folder).join(name), damaged);
        }
    }
    let cut = dir.path().join("ok_front/cut.jpg");
    let (_, told) = said(&["inspect", "--model", "demo", cut.to_str().unwrap()]);
    assert!(told.contains("damaged: its data ends in row ") && !told.contains("OK "), "{told}");
    let (code, told) = said(&["audit", "--data", dir.path().to_str().unwrap(), "--threads", "1"]);
    assert!(told.contains("cut.jpg") && told.contains("damaged: its data ends in row "), "{told}");
    assert_eq!(code, Some(1), "{told}");
}
