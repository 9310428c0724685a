use jobq::job;

struct Session;

#[job]
async fn open(session: Session) {
    drop(session);
}

fn main() {}
