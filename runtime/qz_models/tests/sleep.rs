//! Threads that sleep: no work lies about while all of them do (the checker reports a deadlock).

use loom::sync::Arc;
use loom::thread;
use qz_models::house::Model;

/// Runs the model in every order with at most so many switches that nobody asked for.
fn model(switches: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 20_000;
    builder.check(f);
}

fn spawned(house: &Arc<Model>, body: impl FnOnce(&Model) + 'static) -> thread::JoinHandle<()> {
    let house = house.clone();
    thread::spawn(move || body(&house))
}

#[test]
fn who_falls_asleep_sees_what_comes_from_outside() {
    model(4, || {
        let house = Arc::new(Model::new(1, 1, 1, false));
        house.admit(0, false);
        let worker = spawned(&house, |house| house.serve(0));
        house.inject();
        worker.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn two_workers_and_two_things_to_do() {
    model(2, || {
        let house = Arc::new(Model::new(2, 2, 2, false));
        (0..2).for_each(|it| house.admit(it, false));
        let other = spawned(&house, |house| house.serve(1));
        house.push(0);
        house.push(0);
        house.serve(0);
        other.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn what_a_thread_leaves_in_its_queue_is_stolen() {
    model(3, || {
        // The first is busy with something else when it has pushed.
        let house = Arc::new(Model::new(2, 2, 2, false));
        (0..2).for_each(|it| house.admit(it, false));
        let thief = spawned(&house, |house| house.serve(1));
        house.push(0);
        house.push(0);
        thief.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn who_naps_hears_of_what_is_its_own_and_of_the_end() {
    for own in [true, false] {
        model(3, move || {
            let house = Arc::new(Model::new(2, 2, 1, false));
            (0..2).for_each(|it| house.admit(it, false));
            let napper = spawned(&house, |house| house.serve_after_nap(1));
            if own {
                house.send_to(1);
            } else {
                house.push(0);
            }
            house.serve(0);
            napper.join().unwrap();
            assert!(house.is_quiet());
        });
    }
}

#[test]
fn a_thread_for_one_task_hides_no_worker() {
    model(3, || {
        // Of those that are awake, it is not one that looks for work.
        let house = Arc::new(Model::new(1, 2, 2, false));
        house.admit(0, false);
        house.admit(1, true);
        let worker = spawned(&house, |house| house.serve(0));
        let other = spawned(&house, |house| house.serve(1));
        house.inject();
        house.send_to(1);
        worker.join().unwrap();
        other.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn who_keeps_the_clock_hears_of_a_time_and_of_work() {
    for has_reactor in [false, true] {
        model(3, move || {
            let house = Arc::new(Model::new(2, 1, 2, has_reactor));
            house.admit(0, false);
            let keeper = spawned(&house, |house| house.serve(0));
            house.add_timer();
            house.inject();
            keeper.join().unwrap();
            assert!(house.is_quiet());
        });
    }
}

#[test]
fn who_keeps_the_clock_hears_of_a_time() {
    for has_reactor in [false, true] {
        model(4, move || {
            let house = Arc::new(Model::new(1, 1, 1, has_reactor));
            house.admit(0, false);
            let keeper = spawned(&house, |house| house.serve(0));
            house.add_timer();
            keeper.join().unwrap();
            assert!(house.is_quiet());
        });
    }
}

#[test]
fn nobody_takes_the_word_for_who_keeps_the_clock() {
    model(3, || {
        let house = Arc::new(Model::new(1, 1, 1, true));
        house.admit(0, false);
        let keeper = spawned(&house, |house| house.serve(0));
        let passing = spawned(&house, |house| house.poll_now());
        house.inject();
        passing.join().unwrap();
        keeper.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn the_last_to_fall_asleep_listens() {
    model(3, || {
        // Whoever falls asleep first leaves the clock to the other one.
        let house = Arc::new(Model::with_brief_events(2, 2, 2));
        (0..2).for_each(|it| house.admit(it, false));
        let other = spawned(&house, |house| house.serve(1));
        let system = spawned(&house, |house| house.happen());
        house.push(0);
        house.serve(0);
        other.join().unwrap();
        system.join().unwrap();
        assert!(house.is_quiet());
    });
}

#[test]
fn of_a_surplus_one_stays_awake() {
    model(2, || {
        let house = Arc::new(Model::new(1, 2, 1, false));
        (0..2).for_each(|it| house.admit(it, false));
        let others = [0, 1].map(|it| spawned(&house, move |house| house.serve_surplus(it)));
        house.inject();
        others.into_iter().for_each(|it| it.join().unwrap());
        assert!(house.is_quiet());
    });
}
