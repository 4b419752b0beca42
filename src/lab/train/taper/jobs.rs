//! The trainings of one round, on all cores: one thread for each training, the longest first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use crossbeam_channel::{Sender, unbounded};

use super::AtSize;
use super::book::{Book, Entry};
use crate::clock::{Clock as _, SystemClock, Time};
use crate::config::manifest::Normalise;
use crate::lab::tell::{Event, Tell};
use crate::lab::train::settings::Recipe;
use crate::network::Network;
use crate::train::fit::{Fit, Go, Plan, print};
use crate::train::pictures::Pictures;
use crate::train::split::Split;

/// One training.
#[derive(Clone)]
pub(super) struct Job<'a> {
    /// Number of the network.
    pub(super) at: usize,
    network: &'a Network,
    pictures: &'a Pictures,
    /// Number of the split, and the split itself with mean and standard deviation of its training pixels.
    split: usize,
    parts: &'a (Split, (f32, f32)),
    plan: Plan,
    /// By which it is known in the book.
    pub(super) print: String,
}

/// What all trainings share.
pub(super) struct Table<'a> {
    pub(super) sized: &'a [AtSize],
    pub(super) recipe: &'a Recipe,
    pub(super) normalise: Normalise,
    pub(super) stop: &'a AtomicBool,
    pub(super) tell: Tell<'a>,
    /// When the search began, and after how many seconds no training starts any more.
    pub(super) begin: Time,
    pub(super) seconds: Option<f64>,
}

impl<'a> Table<'a> {
    /// The training of a network on one of the splits; `None` without pictures of its size or without such a split.
    pub(super) fn job(&self, at: usize, network: &'a Network, split: usize, epochs: u32) -> Option<Job<'a>> {
        let AtSize { loaded, splits, .. } = self.sized.iter().find(|sized| sized.size == network.input())?;
        let (pictures, parts) = (&loaded.pictures, splits.get(split)?);
        let plan = self.recipe.plan(epochs, self.normalise, parts.0.train.len());
        let plan = Plan { threads: 1, ..plan };
        let print = format!("{:016x}", print(network, &plan, pictures, &parts.0, parts.1));
        Some(Job { at, network, pictures, split, parts, plan, print })
    }

    /// Whether nothing new is to be begun.
    fn is_over(&self) -> bool {
        let late = self.seconds.is_some_and(|most| SystemClock.now().seconds_since(self.begin) > most);
        late || self.stop.load(Ordering::Relaxed)
    }

    /// Does the jobs that are not in the book; `false` when it was stopped before all were.
    pub(super) fn work(&self, jobs: &[Job<'_>], book: &mut Book) -> anyhow::Result<bool> {
        let mut open: Vec<&Job<'_>> = jobs.iter().filter(|job| book.get(&job.print).is_none()).collect();
        open.sort_by_key(|job| std::cmp::Reverse(job.network.multiply_adds()));
        let (next, mut done) = (AtomicUsize::new(0), jobs.len() - open.len());
        let (send, receive) = unbounded::<Entry>();
        let worker = |send: Sender<Entry>| {
            while let Some(job) = open.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !self.is_over()) {
                let Some(entry) = self.train(job) else { break };
                if send.send(entry).is_err() {
                    break;
                }
            }
        };
        let mut written = Ok(());
        thread::scope(|scope| {
            let worker = &worker;
            let start = |_| {
                let send = send.clone();
                thread::Builder::new().name("taper".to_owned()).spawn_scoped(scope, move || worker(send))
            };
            let threads = self.recipe.threads().min(open.len());
            let handles = (0..threads).map(start).collect::<Result<Vec<_>, _>>();
            let handles = handles.context("the system grants no more threads")?;
            // With this one gone, entries end when the last worker does.
            drop(send);
            for entry in receive {
                done += 1;
                (self.tell)(Event::Note(&format!(
                    "{:>4}/{}  ROC AUC {:.4}  accuracy {:.4}  {:>5.0} s  split {}  {} at {}",
                    done,
                    jobs.len(),
                    entry.auc,
                    entry.accuracy,
                    entry.seconds,
                    entry.split + 1,
                    entry.network,
                    entry.size
                )));
                if let Err(error) = book.add(entry) {
                    self.stop.store(true, Ordering::Relaxed);
                    written = Err(error);
                }
            }
            for handle in handles {
                if let Err(panic) = handle.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            anyhow::Ok(())
        })?;
        written?;
        Ok(jobs.iter().all(|job| book.get(&job.print).is_some()))
    }

    /// One training from the beginning; `None` when it was stopped.
    fn train(&self, job: &Job<'_>) -> Option<Entry> {
        let begin = SystemClock.now();
        let Job { network, pictures, split, parts: (of_split, normal), ref plan, ref print, .. } = *job;
        let mut fit = Fit::new(network.clone(), plan.clone(), pictures, of_split, *normal);
        while fit.epoch() < plan.epochs {
            fit.run_epoch(|_| if self.stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On })?;
        }
        let quality = fit.best()?.quality;
        Some(Entry {
            print: print.clone(),
            network: network.to_string(),
            size: network.input().height,
            split,
            epochs: plan.epochs,
            auc: quality.auc,
            accuracy: quality.accuracy,
            escapes: quality.escapes,
            false_rejects: quality.false_rejects,
            seconds: SystemClock.now().seconds_since(begin),
        })
    }
}
