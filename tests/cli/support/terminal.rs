//! A dsr on a terminal of its own: what a person sees and types.

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Eof, Expect, Session};

/// Patience with a prompt or an end that should have come by now.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Terminal {
    session: OsSession,
    /// Everything that was on the screen so far.
    screen: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(command: Command) -> Self {
        let mut session = Session::spawn(command).expect("dsr can be started on a terminal");
        session.set_expect_timeout(Some(PATIENCE));
        Self {
            session,
            screen: Vec::new(),
        }
    }

    /// Waits until the text is on the screen.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        match self.session.expect(text) {
            Ok(found) => self.screen.extend_from_slice(found.as_bytes()),
            Err(error) => panic!(
                "`{text}` is not on the screen ({error}):\n{}",
                self.screen()
            ),
        }
    }

    /// Types a line that the terminal echoes.
    pub(crate) fn types(&mut self, line: &str) {
        self.session.send_line(line).expect("a terminal takes text");
    }

    /// Ends the input, as Ctrl-D does.
    pub(crate) fn types_end(&mut self) {
        let end = self.session.get_process().get_eof_char();
        self.session
            .write_all(&[end])
            .expect("a terminal takes keys");
        self.session.flush().expect("a terminal takes keys");
    }

    /// Types a line once the terminal does not echo any more.
    #[track_caller]
    pub(crate) fn types_hidden(&mut self, line: &str) {
        let start = Instant::now();
        while self
            .session
            .get_process()
            .get_echo()
            .expect("a terminal can be asked")
        {
            assert!(
                start.elapsed() < PATIENCE,
                "what is typed is shown:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        self.types(line);
    }

    /// Waits for the end; returns the exit status and all that was on the screen.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        match self.session.expect(Eof) {
            Ok(rest) => self.screen.extend_from_slice(rest.as_bytes()),
            Err(error) => panic!("it does not end ({error}):\n{}", self.screen()),
        }
        let status = self
            .session
            .get_process()
            .wait()
            .expect("a child can be waited for");
        match status {
            WaitStatus::Exited(_, code) => (code, self.screen()),
            other => panic!("it ended by {other:?}:\n{}", self.screen()),
        }
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }
}
