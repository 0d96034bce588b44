import { lazy, Suspense, useEffect, useState } from "react";
import { Tasks } from "./Tasks.jsx";

const Stats = lazy(() => import("./Stats.jsx"));

export function App({ api, isInTelegram }) {
  const [tab, setTab] = useState("tasks");
  const [me, setMe] = useState(null);
  const [error, setError] = useState(null);
  const signIn = () => {
    setError(null);
    api.visit().then(setMe, setError);
  };
  useEffect(() => {
    if (isInTelegram) signIn();
  }, [api, isInTelegram]);

  if (!isInTelegram) return <Outside />;
  return (
    <main className="app">
      <Greeting me={me} isWaiting={!error} />
      {error && (
        <>
          <Problem what="You are not signed in." error={error} />
          <button type="button" className="again" onClick={signIn}>
            Try again
          </button>
        </>
      )}
      {me && (
        <>
          <nav className="tabs" role="tablist">
            <Tab name="tasks" label="My tasks" now={tab} onPick={setTab} />
            <Tab name="stats" label="Statistics" now={tab} onPick={setTab} />
          </nav>
          {tab === "tasks" ? (
            <Tasks api={api} />
          ) : (
            <Suspense fallback={<p className="quiet">Loading…</p>}>
              <Stats api={api} />
            </Suspense>
          )}
        </>
      )}
    </main>
  );
}

function Greeting({ me, isWaiting }) {
  return (
    <header className="hello">
      <span className="avatar">{me ? me.first_name.slice(0, 1).toUpperCase() : "N"}</span>
      <div>
        <h1>{me ? `Hello, ${me.first_name}` : "Nexus"}</h1>
        <p className="quiet">{me ? `Visit number ${me.visits}` : isWaiting ? "Signing in…" : "Not signed in"}</p>
      </div>
    </header>
  );
}

function Tab({ name, label, now, onPick }) {
  return (
    <button type="button" role="tab" aria-selected={now === name} onClick={() => onPick(name)}>
      {label}
    </button>
  );
}

function Outside() {
  return (
    <main className="app outside">
      <span className="avatar big">N</span>
      <h1>Nexus lives in Telegram</h1>
      <p className="quiet">Open this page with the menu button of the Nexus bot: Telegram then signs you in.</p>
    </main>
  );
}

export function Problem({ what, error }) {
  return (
    <p className="problem" role="alert">
      <b>{what}</b> {error.message}
    </p>
  );
}
