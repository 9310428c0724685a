//! What compiles, and what a person is told when it does not.

#[test]
fn every_mistake_is_told_where_it_was_made() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
