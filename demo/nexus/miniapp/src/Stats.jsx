import { useEffect, useState } from "react";
import { Problem } from "./App.jsx";

const LABELS = { users: "People", tasks: "Tasks", tasks_done: "Done", visits: "Visits", reports: "Reports", ticks: "Beats" };

export default function Stats({ api }) {
  const [stats, setStats] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    api.stats().then(setStats).catch(setError);
  }, [api]);
  if (error) return <Problem what="No statistics now." error={error} />;
  if (!stats) return <p className="quiet">Loading…</p>;
  return (
    <dl className="stats">
      {Object.entries(LABELS).map(([key, label]) => (
        <div key={key}>
          <dd>{stats[key]}</dd>
          <dt>{label}</dt>
        </div>
      ))}
    </dl>
  );
}
