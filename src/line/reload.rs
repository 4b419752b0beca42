//! SIGHUP: the configuration file is read again, and what can change while the line runs does.
//!
//! On a thread of its own, `reload`: a file that is slow to read must not keep a stop waiting. An invalid file changes nothing.

use std::io;
use std::sync::Weak;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select_biased};

use super::devices::policy;
use super::orders::Orders;
use super::reporter::Sender as Reporting;
use crate::config::live::{differences, is_live};
use crate::config::load::{LoadError, Loaded, load};
use crate::decide::Rules;
use crate::model::ModelInfo;
use crate::pipeline::Order;
use crate::printable::Printable as _;
use crate::report::Publisher;
use crate::report::message::Message;
use crate::service::logging;
use crate::service::notify;

/// Time that a reload in progress has to end in after a stop.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// What a reload changes.
pub struct Running {
    /// What is in force.
    pub loaded: Loaded,
    /// The model, whose threshold holds where the configuration has none.
    pub model: ModelInfo,
    /// To the ledger.
    pub orders: Orders,
    /// What messages say of the configuration.
    pub reporting: Reporting,
    /// Who sends them; it may be gone.
    pub publisher: Weak<dyn Publisher>,
}

/// The thread `reload`.
pub struct Reloader {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Reloader {
    /// Reloads whenever something comes from `asked`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(mut running: Running, asked: Receiver<()>) -> io::Result<Self> {
        let (stop, stopped) = bounded::<()>(0);
        let (end, ended) = bounded::<()>(0);
        let work = move || {
            let _end = end;
            loop {
                select_biased! {
                    recv(stopped) -> _ => return,
                    recv(asked) -> asked => match asked {
                        Ok(()) => running.reload(),
                        Err(_) => return,
                    },
                }
            }
        };
        let thread = Builder::new().name("reload".to_owned()).spawn(work)?;
        Ok(Self { stop: Some(stop), ended, thread: Some(thread) })
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        drop(self.stop.take());
        // One that hangs in a file is left behind; it holds nothing that the stop needs.
        let hangs = self.ended.recv_timeout(STOP_WITHIN) == Err(crossbeam_channel::RecvTimeoutError::Timeout);
        if let Some(thread) = self.thread.take().filter(|_| !hangs) {
            // A panic in it has been logged by the panic hook.
            let _ = thread.join();
        }
    }
}

/// What a reload comes to.
#[derive(Debug, PartialEq)]
struct Change {
    /// What is in force then.
    loaded: Loaded,
    /// Keys that change at once, and keys that wait for the next start.
    live: Vec<String>,
    waiting: Vec<String>,
}

/// What becomes of `old` when `new` is loaded while the line runs.
///
/// # Errors
/// Every rule that the live keys of `new` break together with the others of `old`, in words.
fn change(old: &Loaded, new: &Loaded) -> Result<Change, Vec<String>> {
    let (live, waiting) = differences(&old.config, &new.config).into_iter().partition(|key| is_live(key));
    let told = |broken: Vec<crate::config::validate::Broken>| -> Vec<String> {
        broken.iter().map(|broken| format!("{}: {}", broken.key, broken.message)).collect()
    };
    Ok(Change { loaded: old.with_live(new).map_err(told)?, live, waiting })
}

impl Running {
    fn reload(&mut self) {
        notify::reloading();
        if let Err(problems) = self.try_reload() {
            problems.iter().for_each(|problem| log::error!("{problem}"));
            let fingerprint = &self.loaded.fingerprint;
            log::error!("the configuration is not reloaded; the old one, {fingerprint}, stays in force");
        }
        notify::reloaded();
    }

    /// Takes over what can be taken over.
    fn try_reload(&mut self) -> Result<(), Vec<String>> {
        let Some(file) = &self.loaded.file else {
            return Err(vec!["this is the demonstration line: there is no file to read again".to_owned()]);
        };
        let new = load(file).map_err(|error| match error {
            LoadError::Problems(problems) => problems.iter().map(ToString::to_string).collect(),
            LoadError::Read { path, source } => vec![format!("cannot read {}: {source}", path.shown())],
        })?;
        let Change { loaded, live, waiting } = change(&self.loaded, &new).map_err(|mut problems| {
            problems.push("these keys do not go with the ones that only change with a restart".to_owned());
            problems
        })?;
        if live.is_empty() && waiting.is_empty() {
            log::info!("{} says what is in force already", loaded.name());
        }
        if !live.is_empty() {
            let rules = Rules::of(&loaded.config, policy(&loaded.config, &self.model));
            let rules = rules.with_fingerprint(&loaded.fingerprint);
            self.orders
                .give(Order::Rules(Box::new(rules)))
                .map_err(|why| vec![format!("the ledger does not take other rules: {why}")])?;
            logging::set_level(loaded.config.line.log_level);
            log::info!("reloaded {}: changed are {}", loaded.name(), live.join(", "));
            self.reporting.set_config(&loaded.fingerprint);
            if let Some(publisher) = self.publisher.upgrade() {
                publisher.offer(Message::Config(loaded.fingerprint.clone()));
            }
        }
        if !waiting.is_empty() {
            log::warn!("these changes need a restart of castgate: {}", waiting.join(", "));
        }
        self.loaded = loaded;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::report::Nobody;
    use crate::report::message::Identity;

    struct Bench {
        _folder: tempfile::TempDir,
        file: PathBuf,
        running: Running,
        ledger: Receiver<Order>,
    }

    fn bench(text: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("castgate.yaml");
        std::fs::write(&file, text).unwrap();
        let loaded = load(&file).unwrap();
        let (orders, ledger) = Orders::new(&loaded.config);
        let model = crate::model::open(&loaded.config.model.path).unwrap().info().clone();
        let identity = Identity {
            version: String::new(),
            line: String::new(),
            model: String::new(),
            config: loaded.fingerprint.clone(),
        };
        let reporting = Reporting::new(identity);
        let publisher: Weak<dyn Publisher> = Weak::<Nobody>::new();
        Bench {
            _folder: folder,
            file,
            running: Running { loaded, model, orders, reporting, publisher },
            ledger,
        }
    }

    impl Bench {
        /// Reloads another text, and gives the rules that the ledger then gets.
        fn reload(&mut self, text: &str) -> Result<Option<Rules>, Vec<String>> {
            std::fs::write(&self.file, text).unwrap();
            self.running.try_reload()?;
            Ok(self.ledger.try_iter().last().map(|order| match order {
                Order::Rules(rules) => *rules,
                other => panic!("{other:?}"),
            }))
        }
    }

    #[test]
    fn live_keys_change_the_rules_and_others_wait() {
        let mut bench = bench("line: {name: a}\n");
        let before = bench.running.loaded.clone();
        let rules = bench
            .reload("line: {name: b}\nmodel: {threshold: 0.31}\ngate: {delay: 25ms}\n")
            .unwrap()
            .unwrap();
        let after = &bench.running.loaded;
        assert_eq!((rules.policy.threshold, rules.geometry.gate.delay), (0.31, 0.025));
        assert_eq!((&*rules.fingerprint, after.config.line.name.as_str()), (after.fingerprint.as_str(), "a"));
        assert_ne!(after.fingerprint, before.fingerprint);
        assert_eq!(bench.running.reporting.identity().config, after.fingerprint);
        let effective = "line: {name: a}\nmodel: {threshold: 0.31}\ngate: {delay: 25ms}\n";
        assert_eq!(bench.reload(effective).unwrap(), None, "that is in force already");
        let back = bench.reload("line: {name: a}\n").unwrap().unwrap();
        assert_eq!(&*back.fingerprint, before.fingerprint);
    }

    #[test]
    fn what_changes_is_told_by_key() {
        let bench = bench("# the defaults\n");
        let file = bench.file.with_file_name("b.yaml");
        std::fs::write(
            &file,
            "line: {speed: 400mm/s, log_level: warn}\nline_stop: {escape: false}\nmqtt: {port: 8883}\n",
        )
        .unwrap();
        let change = change(&bench.running.loaded, &load(&file).unwrap()).unwrap();
        assert_eq!(change.live, ["line.log_level", "line_stop.escape"]);
        assert_eq!(change.waiting, ["line.speed", "mqtt.port"]);
    }

    #[test]
    fn an_invalid_file_changes_nothing_and_every_problem_is_told() {
        let mut bench = bench("# the defaults\n");
        let before = bench.running.loaded.clone();
        let told = bench.reload("model: {threshold: 7}\nline:\n  sped: 3\n").unwrap_err();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("castgate.yaml:1:20: model.threshold: 7"), "{told:?}");
        assert!(told[1].contains("castgate.yaml:3:3: "), "{told:?}");
        std::fs::remove_file(&bench.file).unwrap();
        assert!(bench.running.try_reload().unwrap_err()[0].contains("cannot read"));
        assert_eq!(bench.running.loaded, before);
        assert!(bench.ledger.is_empty());
        bench.running.reload();
    }

    #[test]
    fn live_keys_that_need_others_to_change_too_are_refused() {
        let mut bench = bench("# the defaults\n");
        // Valid by itself: the gate stands farther away.
        let told = bench
            .reload("gate: {position: 1500mm, delay: 1500ms}\nconfirm: {position: 1700mm}\n")
            .unwrap_err();
        assert!(told.iter().any(|problem| problem.contains("gate.")), "{told:?}");
        assert!(told.last().unwrap().contains("only change with a restart"), "{told:?}");
    }

    #[test]
    fn the_demonstration_line_has_no_file() {
        let mut bench = bench("# the defaults\n");
        bench.running.loaded = crate::config::load::demonstration();
        assert!(bench.running.try_reload().unwrap_err()[0].contains("there is no file"));
    }

    #[test]
    fn a_ledger_that_takes_no_order_keeps_its_rules() {
        let mut bench = bench("# the defaults\n");
        let before = bench.running.loaded.clone();
        while bench.running.orders.give(Order::Reset).is_ok() {}
        let told = bench.reload("model: {threshold: 0.3}\n").unwrap_err();
        assert_eq!(told, ["the ledger does not take other rules: busy"]);
        assert_eq!(bench.running.loaded, before);
    }
}
