//! Chips of the kernel's gpio-sim, made for one test each: inputs are pulled, outputs are read, and a chip can vanish.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use castgate::config::Pin;

/// Where the kernel lets chips be made.
const MAKE: &str = "/sys/kernel/config/gpio-sim";

pub(crate) struct GpioSim {
    /// Its label, by which it is found.
    pub(crate) chip: String,
    made: PathBuf,
    lines: PathBuf,
}

/// A chip of 32 lines that nothing drives; `None`, said in one line, where `CASTGATE_GPIO_CHIP` names no gpio-sim chip.
pub(crate) fn gpio_sim(test: &str) -> Option<GpioSim> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    if std::env::var_os("CASTGATE_GPIO_CHIP").is_none() {
        println!("skipped {test}: CASTGATE_GPIO_CHIP names no gpio-sim chip");
        return None;
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let chip = format!("castgate-{}-{number}", std::process::id());
    let made = Path::new(MAKE).join(&chip);
    let bank = made.join("bank");
    fs::create_dir(&made).expect("CASTGATE_GPIO_CHIP is for gpio-sim, as root");
    fs::create_dir(&bank).unwrap();
    fs::write(bank.join("num_lines"), "32").unwrap();
    fs::write(bank.join("label"), &chip).unwrap();
    fs::write(made.join("live"), "1").unwrap();
    let name = |file: PathBuf| fs::read_to_string(file).unwrap().trim().to_owned();
    let device = Path::new("/sys/devices/platform").join(name(made.join("dev_name")));
    let lines = device.join(name(bank.join("chip_name")));
    Some(GpioSim { chip, made, lines })
}

impl GpioSim {
    /// A pin of this chip.
    pub(crate) fn pin(&self, line: u32, more: &str) -> Option<Pin> {
        let text = format!(r#"{{"chip": "{}", "line": {line}{more}}}"#, self.chip);
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Drives an input from outside.
    pub(crate) fn pull(&self, line: u32, high: bool) {
        let pull = if high { "pull-up" } else { "pull-down" };
        fs::write(self.lines.join(format!("sim_gpio{line}/pull")), pull).unwrap();
    }

    /// Level of a line now.
    pub(crate) fn is_high(&self, line: u32) -> bool {
        fs::read_to_string(self.lines.join(format!("sim_gpio{line}/value"))).unwrap().trim() == "1"
    }

    /// Takes the chip away while it is in use.
    pub(crate) fn unplug(&self) {
        fs::write(self.made.join("live"), "0").unwrap();
    }
}

impl Drop for GpioSim {
    fn drop(&mut self) {
        // Gone already, if the test unplugged it.
        let _ = fs::write(self.made.join("live"), "0");
        let _ = fs::remove_dir(self.made.join("bank"));
        let _ = fs::remove_dir(&self.made);
    }
}
