use kit::Pool;

use super::*;
use crate::plan::Task;
use crate::systems::named;

fn case(name: &str, place: usize) -> Case {
    let system = named(name).unwrap();
    Case {
        title: "drain",
        system,
        task: Task::Drain(Pool {
            concurrency: 10,
            connections: 1,
        }),
        place,
        is_reference: system.is_reference(),
    }
}

fn results(of_jobq: &[(usize, f64)], of_oxana: &[(usize, f64)]) -> Results {
    let mut results = Results::default();
    // The later case first, as in a round that was turned.
    for (name, place, values) in [("oxana", 1, of_oxana), ("jobq", 0, of_jobq)] {
        for &(round, value) in values {
            results.add(round, &case(name, place), vec![(Figure::JOBS, value)]);
        }
    }
    results
}

#[test]
fn the_median_lies_in_the_middle() {
    for (values, expected) in [
        (vec![], None),
        (vec![3.0], Some(3.0)),
        (vec![4.0, 1.0], Some(2.5)),
        (vec![9.0, 1.0, 2.0], Some(2.0)),
    ] {
        assert_eq!(median(values), expected);
    }
}

#[test]
fn lines_stand_in_the_order_of_the_cases() {
    let results = results(&[(0, 1.0)], &[(0, 1.0)]);
    let names: Vec<_> = results.tables()[0]
        .lines
        .iter()
        .map(|line| line.system.name)
        .collect();
    assert_eq!(names, ["jobq", "oxana"]);
}

#[test]
fn the_ratio_compares_within_rounds() {
    // Of their medians it would be the same here; of their means it would not.
    let results = results(
        &[(0, 10.0), (1, 20.0), (2, 90.0)],
        &[(0, 1.0), (1, 5.0), (2, 6.0)],
    );
    let table = &results.tables()[0];
    let ratios: Vec<_> = table.lines.iter().map(|line| table.ratio(line)).collect();
    assert_eq!(ratios, [Some(1.0), Some(10.0)]);
}

#[test]
fn a_round_that_one_of_them_lacks_is_no_part_of_the_ratio() {
    let results = results(&[(0, 10.0), (2, 50.0)], &[(0, 1.0), (1, 6.0)]);
    let table = &results.tables()[0];
    assert_eq!(table.ratio(&table.lines[1]), Some(10.0));
}

#[test]
fn without_the_reference_there_is_no_ratio() {
    let results = results(&[], &[(0, 1.0)]);
    let table = &results.tables()[0];
    assert_eq!(table.ratio(&table.lines[0]), None);
}

#[test]
fn what_is_not_above_zero_has_no_ratio() {
    let results = results(&[(0, 2.0), (1, 2.0)], &[(0, -1.0), (1, 4.0)]);
    let table = &results.tables()[0];
    assert_eq!(table.ratio(&table.lines[1]), None);
}
