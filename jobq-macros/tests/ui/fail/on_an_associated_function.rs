use jobq::job;

struct Mailer;

impl Mailer {
    #[job]
    async fn send(user_id: u64) {
        drop(user_id);
    }
}

fn main() {}
