//! Who is let in, wherever user and password were given.

use jobq::{Client, ClientBuilder};

use super::fixture::*;

/// A server on which `ann` needs a password, `bob` needs none, and nobody else may enter.
async fn guarded() -> RedisServer {
    let server = RedisServer::start_with(&[("requirepass", "hidden")]);
    let admin = server.url().replace("//", "//:hidden@");
    for user in [["ann", ">p@s/s:%40#?"], ["bob", "nopass"]] {
        let words = [&["ACL", "SETUSER"], &user[..], &["on", "~*", "&*", "+@all"]].concat();
        ask_at(&admin, &words).await;
    }
    server
}

async fn is_let_in(builder: ClientBuilder) -> bool {
    match builder.timeout(DEADLINE).connect().await {
        Ok(client) => client.queues().await.unwrap().is_empty(),
        Err(ConnectError::Unauthorized { .. }) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn user_and_password_of_the_builder_are_taken_as_they_are_and_win() {
    let server = guarded().await;
    let url = |login: &str| server.url().replace("//", &format!("//{login}"));
    let at = |login: &str| Client::builder(url(login));
    let password = "p@s/s:%40#?";
    let good = [
        at("").username("ann").password(password),
        at("nobody:wrong@").username("ann").password(password),
        at("ann:wrong@").password(password),
        at("ann:p%40s%2Fs%3A%2540%23%3F@"),
        at(":p%40s%2Fs%3A%2540%23%3F@").username("ann"),
        at("").username("bob"),
        at("bob@"),
        at("").password("hidden"),
        at(":hidden@").username(""),
    ];
    for (case, good) in good.into_iter().enumerate() {
        assert!(is_let_in(good).await, "case {case}");
    }
    let bad = [
        at(""),
        at("").username("ann"),
        at("ann:p%40s%2Fs%3A%2540%23%3F@").password("wrong"),
        at("ann@"),
    ];
    for (case, bad) in bad.into_iter().enumerate() {
        assert!(!is_let_in(bad).await, "case {case}");
    }
}
