use jobq::job;

#[job]
async fn send(emails: Vec<&'static str>) {
    drop(emails);
}

fn main() {}
