//! A mutant that is no script would be caught by any test, and show nothing.

use jobq_mutants::{Server, mutants, scripts};

#[test]
fn every_mutant_is_a_script_that_redis_takes() {
    let server = Server::start();
    for script in scripts() {
        server.load(&script.source).expect(&script.name);
        for mutant in mutants(&script.source) {
            let loaded = server.load(&mutant.text);
            assert_eq!(
                loaded,
                Ok(()),
                "{}.lua:{}: {}",
                script.name,
                mutant.line,
                mutant.change
            );
        }
    }
}

#[test]
fn a_text_that_is_no_script_is_refused() {
    let server = Server::start();
    assert!(server.load("#!lua\nif then end").is_err());
}
