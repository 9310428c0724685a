use super::*;

fn parse(url: &str) -> RedisConfig {
    RedisConfig::parse(url, None).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn urls_are_read() {
    let cases = [
        ("redis://", "redis://127.0.0.1:6379/0?namespace=jobq"),
        ("redis:///2", "redis://127.0.0.1:6379/2?namespace=jobq"),
        (
            "redis://localhost",
            "redis://localhost:6379/0?namespace=jobq",
        ),
        ("redis://h:1/", "redis://h:1/0?namespace=jobq"),
        ("redis://h:65535/15", "redis://h:65535/15?namespace=jobq"),
        ("redis://[::1]:7/3", "redis://[::1]:7/3?namespace=jobq"),
        ("redis://[::1]", "redis://[::1]:6379/0?namespace=jobq"),
        (
            "redis://h?namespace=shop",
            "redis://h:6379/0?namespace=shop",
        ),
        (
            "redis://u:p@h/?namespace=a:b-c",
            "redis://h:6379/0?namespace=a:b-c",
        ),
    ];
    for (url, described) in cases {
        assert_eq!(parse(url).describe(), described, "{url}");
    }
}

#[test]
fn credentials_are_decoded() {
    let cases = [
        ("redis://h", None, None),
        ("redis://:secret@h", None, Some("secret")),
        ("redis://ann:secret@h", Some("ann"), Some("secret")),
        ("redis://ann:p%40%2F%3a%25x@h", Some("ann"), Some("p@/:%x")),
        // The last @ ends the password.
        ("redis://ann:p@q@h", Some("ann"), Some("p@q")),
        ("redis://a%20b:p+q@h", Some("a b"), Some("p+q")),
        ("redis://ann@h", Some("ann"), None),
        ("redis://:gr%C3%BCn@h", None, Some("grün")),
    ];
    for (url, user, password) in cases {
        let config = parse(url);
        assert_eq!(config.user.as_deref(), user, "{url}");
        assert_eq!(config.password.as_deref(), password, "{url}");
    }
}

#[test]
fn a_login_beside_the_url_wins_part_by_part() {
    let url = "redis://ann:in-url@h";
    let cases = [
        (None, None, "ann", "in-url"),
        (Some("bob"), None, "bob", "in-url"),
        (None, Some("p@/%40"), "ann", "p@/%40"),
        (Some("bob"), Some(""), "bob", ""),
    ];
    for (user, password, expected_user, expected_password) in cases {
        let given = [user, password].map(|part| part.map(str::to_owned));
        let [user, password] = given.clone();
        let config = parse(url).with_login(user, password);
        assert_eq!(config.user.as_deref(), Some(expected_user), "{given:?}");
        assert_eq!(
            config.password.as_deref(),
            Some(expected_password),
            "{given:?}"
        );
    }
}

#[test]
fn a_refused_user_is_named_unless_it_may_be_a_password() {
    for (url, beside, named) in [
        ("redis://h", None, "\"default\""),
        ("redis://h", Some("ann"), "\"ann\""),
        ("redis://ann:in-url@h", None, "\"ann\""),
        ("redis://hunter2@h", Some("ann"), "\"ann\""),
    ] {
        let config = parse(url).with_login(beside.map(str::to_owned), None);
        assert_eq!(config.refused_user(), named, "{url} {beside:?}");
    }
    let hidden = parse("redis://hunter2@h").with_login(None, None);
    assert!(hidden.refused_user().starts_with("(not shown"));
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("", "it is empty"),
        (" ", "no scheme"),
        ("/run/redis.sock", "no scheme"),
        ("unix:///run/redis.sock", "Unix sockets"),
        ("redis+unix:///run/redis.sock", "Unix sockets"),
        ("localhost:6379", "it has no ://; expected redis://"),
        ("localhost", "no scheme"),
        ("http://h", "unknown scheme \"http\""),
        ("rediss:h", "rediss: is not followed by //"),
        ("redis:h", "not followed by //"),
        ("redis://h:0", "port is 0"),
        ("redis://h:65536", "from 1 to 65535"),
        ("redis://h:-1", "from 1 to 65535"),
        ("redis://h:x", "from 1 to 65535"),
        ("redis://ann:p/q@h", "/ as %2F"),
        ("redis://ann:12/q@h", "/ as %2F"),
        ("redis://ann:p#q@h", "# as %23"),
        ("redis://ann:12#q@h", "# as %23"),
        ("redis://h/one", "database is \"one\""),
        ("redis://h/-1", "database is \"-1\""),
        ("redis://h/1/2", "database is \"1/2\""),
        ("redis://h/4294967296", "expected a number"),
        (
            "redis://h?db=1",
            "unknown parameter \"db\"; known: namespace",
        ),
        ("redis://h?namespace=a&namespace=b", "twice"),
        ("redis://h#x", "fragment"),
        ("redis://h#insecure", "ca_file"),
        ("redis://[::1", "IPv6"),
        ("memory://x", "unknown scheme \"memory\""),
    ];
    for (url, expected) in cases {
        let error = RedisConfig::parse(url, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    }
}

#[test]
fn tls_is_asked_for_by_the_scheme_and_must_be_built_in() {
    let url = |url| Url::parse(url).unwrap();
    for built_in in [false, true] {
        assert!(!is_tls(&url("redis://h"), built_in).unwrap());
    }
    for asking in ["rediss://h", "REDISS://h"] {
        assert!(is_tls(&url(asking), true).unwrap());
        let error = is_tls(&url(asking), false).unwrap_err().to_string();
        for named in ["feature `tls`", "crate jobq,", "jobq-worker"] {
            assert!(error.contains(named), "{error}");
        }
    }
}

#[test]
fn namespaces_are_checked_and_the_one_beside_the_url_wins() {
    let longest = "n".repeat(64);
    for good in ["jobq", "a", "A-z_0.9:x", &longest] {
        let config = RedisConfig::parse("redis://h?namespace=other", Some(good)).unwrap();
        assert_eq!(config.namespace(), good);
    }
    let long = "n".repeat(65);
    for bad in ["", "a b", "{a}", "ä", "*", &long] {
        let error = RedisConfig::parse("redis://h", Some(bad)).unwrap_err();
        assert!(error.to_string().contains("A-Za-z0-9_.:-"), "{error}");
    }
}

#[test]
fn no_output_holds_the_password() {
    let right = parse("redis://ann:hunter2@h:1/2");
    assert!(!format!("{right:?} {}", right.describe()).contains("hunter2"));
    let wrong = [
        "redis://ann:hunter2@h:0",
        "redis://ann:hunter2@h:65536",
        "redis://ann:hunter2@h/hunter2",
        "redis://ann:hun/hunter2@h",
        "redis://ann:12/hunter2@h",
        "redis://ann:12?hunter2@h",
        "redis://ann:12?namespace=hunter2@h",
        "redis://ann:12?n%61mespace=x:hunter2@h",
        "redis://ann:12#hunter2@h",
        "redis://ann:hunter2%zz@h",
        "redis://ann:hunter2%@h",
        "redis://ann:hunter2%FF@h",
        "rediss://ann:hunter2@h#insecure",
        "rediss://ann:12#hunter2@h",
        "ann:hunter2@h",
        "redis://ann:hunter2@h?x=1",
        "redis://ann:hunter2@h h",
        "redis://ann:hunter2@[::1",
    ];
    for url in wrong {
        let error = RedisConfig::parse(url, None).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2"), "{url}: {said}");
    }
}
