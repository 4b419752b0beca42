//! The simulated camera: what it shows is where the sensor says, and it allocates nothing once warm.

use super::*;
use crate::config::GateState;
use crate::scene::Part;

const START: Time = Time::from_nanos(7_000_000_000_000);

fn frames(camera: &mut SimulatedCamera, count: usize) -> Vec<Frame> {
    let take = |_| {
        let mut frame = Frame::default();
        let due = camera.due().unwrap();
        assert_eq!(camera.next(due, &mut frame).unwrap(), Captured::Frame);
        assert_eq!(frame.captured_at, due);
        frame
    };
    (0..count).map(take).collect()
}

#[test]
fn the_same_seed_gives_the_same_frames_and_another_seed_others() {
    let shown = |seed| {
        let mut config = Config::default();
        config.simulation.seed = seed;
        let (_, mut camera) = open(&config, START).unwrap();
        frames(&mut camera, 25).pop().unwrap().pixels
    };
    assert_eq!(shown(4), shown(4));
    assert_ne!(shown(4), shown(5));
}

/// Columns of the middle rows in which a part hides the belt: darker or brighter than the belt by much.
fn covered(frame: &Frame) -> Vec<usize> {
    let belt = 150;
    let differs = |x: usize| {
        (frame.height / 2 - 8..frame.height / 2 + 8)
            .any(|y| (i32::from(frame.pixels[y * frame.width + x]) - belt).abs() > 60)
    };
    (0..frame.width).filter(|&x| differs(x)).collect()
}

#[test]
fn the_run_starts_empty_and_a_part_is_where_the_sensor_edge_says() {
    let (world, mut camera) = open(&Config::default(), START).unwrap();
    let part = world.belt().part(0);
    let mut frame = Frame::default();
    camera.next(START, &mut frame).unwrap();
    assert_eq!(covered(&frame), Vec::<usize>::new());
    // Its centre in the middle of the view, 250 mm from the sensor.
    let arrives = world.belt().arrives_s(&part, 0.0);
    let centred = arrives + (250.0 + 60.0) / 500.0;
    camera.renderer.render(world.belt(), centred, &mut frame, &mut camera.pictures, &|part| part.index != 0);
    let columns = covered(&frame);
    let (first, last) = (columns[0] as f64, *columns.last().unwrap() as f64);
    assert!(((first + last) / 2.0 - 320.0).abs() < 14.0, "{first} {last}");
    assert!((last - first - 240.0).abs() < 30.0, "{first} {last}");
}

#[test]
fn frames_that_nobody_asked_for_are_gone() {
    let (_, mut camera) = open(&Config::default(), START).unwrap();
    let mut frame = Frame::default();
    camera.next(START.plus_s(3.02), &mut frame).unwrap();
    assert!((frame.captured_at.seconds_since(START) - 3.0).abs() < 1e-6);
    assert!((camera.due().unwrap().seconds_since(START) - 3.05).abs() < 1e-6);
}

#[test]
fn a_removed_part_is_no_longer_seen() {
    let mut config = Config::default();
    config.gate.position = crate::units::Length::mm(200.0);
    let shown = |state| {
        let (world, mut camera) = open(&config, START).unwrap();
        world.command(state, START);
        let part: Part = world.belt().part(0);
        let at = world.time(world.belt().passes_s(&part, 260.0));
        let mut frame = Frame::default();
        camera.next(at, &mut frame).unwrap();
        covered(&frame).iter().filter(|x| (150..400).contains(*x)).count()
    };
    assert!(shown(GateState::Pass) > 60);
    assert_eq!(shown(GateState::Reject), 0);
}

#[test]
fn nothing_is_allocated_for_a_frame_once_warm() {
    let (_, mut camera) = open(&Config::default(), START).unwrap();
    let mut frame = Frame::default();
    for _ in 0..60 {
        camera.next(START, &mut frame).unwrap();
    }
    let mut allocated = Vec::new();
    for _ in 0..40 {
        let info = allocation_counter::measure(|| {
            camera.next(START, &mut frame).unwrap();
        });
        allocated.push(info.count_total);
    }
    // A defective part's list of defects, when it comes into view; never the frame.
    assert!(allocated.iter().all(|&count| count <= 2), "{allocated:?}");
    assert!(allocated.iter().filter(|&&count| count == 0).count() >= 30, "{allocated:?}");
}

fn folder_of_parts(broken: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, level) in [("ok_front/a.png", 200), ("def_front/b.png", 240)] {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let grey = |i: usize| {
            let (x, y) = ((i % 64) as f32 - 31.5, (i / 64) as f32 - 31.5);
            if x.hypot(y) < 27.0 { level } else { 150 }
        };
        let pixels = (0..64 * 64).map(grey).collect();
        let frame = Frame { width: 64, height: 64, pixels, ..Frame::default() };
        std::fs::write(&path, crate::camera::picture::png(&frame).unwrap()).unwrap();
    }
    if broken {
        std::fs::write(dir.path().join("def_front/b.png"), b"broken").unwrap();
    }
    dir
}

#[test]
fn real_pictures_lie_on_the_belt_and_their_truth_is_known() {
    let dir = folder_of_parts(false);
    let mut config = Config::default();
    config.simulation.parts_from = Some(dir.path().to_owned());
    let (world, mut camera) = open(&config, START).unwrap();
    frames(&mut camera, 40);
    let names: BTreeSet<String> = (0..2)
        .map(|k| world.truth_of(world.time(world.belt().arrives_s(&world.belt().part(k), 0.0))).unwrap())
        .map(|truth| format!("{:?} {}", truth.truth, truth.name.unwrap()))
        .collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Defect def_front/b.png", "Ok ok_front/a.png"]);
}

#[test]
fn a_picture_that_cannot_be_read_is_replaced_and_the_run_goes_on() {
    let dir = folder_of_parts(true);
    let mut config = Config::default();
    config.simulation.parts_from = Some(dir.path().to_owned());
    let (world, mut camera) = open(&config, START).unwrap();
    frames(&mut camera, 60);
    for k in 0..4 {
        let arrived = world.time(world.belt().arrives_s(&world.belt().part(k), 0.0));
        assert_eq!(world.truth_of(arrived).unwrap().truth, Truth::Ok);
    }
}

#[test]
fn a_folder_without_parts_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.simulation.parts_from = Some(dir.path().to_owned());
    assert!(matches!(open(&config, START), Err(CameraError::NoParts(_))));
    config.simulation.parts_from = Some(dir.path().join("absent"));
    assert!(matches!(open(&config, START), Err(CameraError::Folder { .. })));
}
