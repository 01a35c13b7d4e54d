//! Waits of fibers: nothing is lost, nothing comes twice, nobody sleeps for ever (the checker reports a deadlock).

use loom::sync::Arc;
use loom::thread;
use qz_models::channel::{Channel, Side};
use qz_models::select::Case;
use qz_models::wait::Outcome;
use qz_models::{Fiber, attempt, close};

/// Runs the model in every order with at most so many switches that nobody asked for.
fn model(switches: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 20_000;
    builder.check(f);
}

fn channel(capacity: usize) -> Arc<Channel> {
    Arc::new(Channel::new(8, capacity))
}

/// Two that lie one after the other: a select locks by address, which must not differ from run to run.
fn two_channels() -> Arc<[Channel; 2]> {
    Arc::new([Channel::new(8, 0), Channel::new(8, 0)])
}

fn receive(channel: &Channel) -> Option<u64> {
    let mut value = 0;
    match Fiber::new().transfer(channel, Side::Receive, &mut value) {
        Outcome::Done(_) => Some(value),
        outcome => {
            assert_eq!(outcome, Outcome::Closed(0));
            None
        }
    }
}

fn send(channel: &Channel, mut value: u64) -> bool {
    Fiber::new().transfer(channel, Side::Send, &mut value) == Outcome::Done(0)
}

#[test]
fn a_value_goes_from_hand_to_hand() {
    model(4, || {
        let meeting = channel(0);
        let sender = thread::spawn({
            let meeting = meeting.clone();
            move || assert!(send(&meeting, 7))
        });
        assert_eq!(receive(&meeting), Some(7));
        sender.join().unwrap();
    });
}

#[test]
fn two_senders_and_one_place() {
    model(2, || {
        let channel = channel(1);
        let senders = [1, 2].map(|value| {
            let channel = channel.clone();
            thread::spawn(move || assert!(send(&channel, value)))
        });
        let sum = receive(&channel).unwrap() + receive(&channel).unwrap();
        assert_eq!(sum, 3);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(channel.is_empty());
    });
}

#[test]
fn a_cancelled_receiver_takes_a_value_or_leaves_it() {
    model(3, || {
        let meeting = channel(0);
        let fiber = Fiber::new();
        let receiver = thread::spawn({
            let meeting = meeting.clone();
            move || {
                let mut value = 0;
                let outcome = fiber.transfer(&meeting, Side::Receive, &mut value);
                (outcome, value)
            }
        });
        let canceller = thread::spawn(move || fiber.cancel());
        let sent = attempt(&meeting, Side::Send, &mut 7);
        let (outcome, value) = receiver.join().unwrap();
        canceller.join().unwrap();
        match sent {
            true => assert_eq!((outcome, value), (Outcome::Done(0), 7)),
            false => assert_eq!((outcome, value), (Outcome::Cancelled, 0)),
        }
        // It is in no queue any more.
        assert!(!attempt(&meeting, Side::Send, &mut 8));
    });
}

#[test]
fn a_closed_channel_tells_all_who_wait() {
    model(2, || {
        let meeting = channel(0);
        let receivers = [0, 1].map(|_| {
            let meeting = meeting.clone();
            thread::spawn(move || receive(&meeting))
        });
        assert!(close(&meeting));
        assert!(!close(&meeting));
        for receiver in receivers {
            assert_eq!(receiver.join().unwrap(), None);
        }
        assert!(!send(&meeting, 1));
    });
}

#[test]
fn a_value_sent_while_the_channel_closes_arrives_or_is_kept() {
    model(2, || {
        let channel = channel(1);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || send(&channel, 5)
        });
        let closer = thread::spawn({
            let channel = channel.clone();
            move || close(&channel)
        });
        let received = receive(&channel);
        let sent = sender.join().unwrap();
        closer.join().unwrap();
        let left = receive(&channel);
        assert_eq!(received.or(left), sent.then_some(5));
    });
}

fn case(channel: &Channel, receives: bool, slot: &mut u64, number: u64) -> Case {
    Case { channel, side: !receives as u64, slot: (&raw mut *slot).cast(), number }
}

#[test]
fn a_select_takes_one_of_two() {
    model(2, || {
        let channels = two_channels();
        let selecting = thread::spawn({
            let channels = channels.clone();
            move || {
                let (mut first, mut second) = (0, 0);
                let cases =
                    [case(&channels[0], true, &mut first, 0), case(&channels[1], true, &mut second, 1)];
                let outcome = Fiber::new().select(&cases);
                (outcome, first, second)
            }
        });
        let other = thread::spawn({
            let channels = channels.clone();
            move || attempt(&channels[1], Side::Send, &mut 2)
        });
        let first_sent = attempt(&channels[0], Side::Send, &mut 1);
        let sent = [first_sent, other.join().unwrap()];
        close(&channels[0]);
        let (outcome, first, second) = selecting.join().unwrap();
        match outcome {
            Outcome::Done(0) => assert_eq!((sent, first, second), ([true, false], 1, 0)),
            Outcome::Done(1) => assert_eq!((sent, first, second), ([false, true], 0, 2)),
            outcome => assert_eq!((outcome, sent, first, second), (Outcome::Closed(0), [false; 2], 0, 0)),
        }
    });
}

#[test]
fn selects_that_meet_each_other() {
    model(2, || {
        let channels = two_channels();
        let other = thread::spawn({
            let channels = channels.clone();
            move || {
                let (mut a, mut b) = (1, 2);
                let cases = [case(&channels[1], false, &mut b, 0), case(&channels[0], false, &mut a, 1)];
                Fiber::new().select(&cases)
            }
        });
        let (mut a, mut b) = (0, 0);
        let cases = [case(&channels[0], true, &mut a, 0), case(&channels[1], true, &mut b, 1)];
        let mine = Fiber::new().select(&cases);
        let its = other.join().unwrap();
        match mine {
            Outcome::Done(0) => assert_eq!((its, a, b), (Outcome::Done(1), 1, 0)),
            outcome => assert_eq!((outcome, its, a, b), (Outcome::Done(1), Outcome::Done(0), 0, 2)),
        }
    });
}

#[test]
fn a_cancelled_select_is_in_no_queue() {
    model(2, || {
        let channels = two_channels();
        let fiber = Fiber::new();
        let canceller = thread::spawn(move || fiber.cancel());
        let (mut first, mut second) = (0, 0);
        let cases = [case(&channels[0], true, &mut first, 0), case(&channels[1], true, &mut second, 1)];
        assert_eq!(fiber.select(&cases), Outcome::Cancelled);
        canceller.join().unwrap();
        assert!(!attempt(&channels[0], Side::Send, &mut 1));
        assert!(!attempt(&channels[1], Side::Send, &mut 1));
    });
}

#[test]
fn the_clock_and_a_cancellation_end_a_wait_once() {
    model(4, || {
        let fiber = Fiber::new();
        let canceller = thread::spawn(move || fiber.cancel());
        let mut ticking = None;
        let outcome = fiber.sleep(|generation| {
            ticking = Some(thread::spawn(move || fiber.time_out(generation)));
        });
        assert!(matches!(outcome, Outcome::TimedOut | Outcome::Cancelled), "{outcome:?}");
        ticking.unwrap().join().unwrap();
        canceller.join().unwrap();
    });
}

#[test]
fn a_late_clock_ends_no_later_wait() {
    model(4, || {
        let fiber = Fiber::new();
        let mut first = None;
        let outcome = fiber.sleep(|generation| {
            first = Some(generation);
            fiber.time_out(generation);
        });
        assert_eq!(outcome, Outcome::TimedOut);
        let late = thread::spawn(move || fiber.time_out(first.unwrap()));
        let next = fiber.sleep(|_| fiber.cancel());
        assert_eq!(next, Outcome::Cancelled);
        late.join().unwrap();
    });
}
