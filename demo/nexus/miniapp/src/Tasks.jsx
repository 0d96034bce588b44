import { useEffect, useState } from "react";
import { Problem } from "./App.jsx";

export function Tasks({ api }) {
  const [tasks, setTasks] = useState(null);
  const [title, setTitle] = useState("");
  const [error, setError] = useState(null);
  const load = () => api.tasks().then(setTasks).catch(setError);
  useEffect(() => {
    load();
  }, [api]);

  async function add(event) {
    event.preventDefault();
    if (!title.trim()) return;
    try {
      await api.addTask(title.trim());
      setTitle("");
      setError(null);
      await load();
    } catch (failure) {
      setError(failure);
    }
  }

  return (
    <section>
      <form className="add" onSubmit={add}>
        <input value={title} onChange={(e) => setTitle(e.target.value)} placeholder="What is to be done?" maxLength={200} />
        <button type="submit" disabled={!title.trim()}>
          Add
        </button>
      </form>
      {error && <Problem what="That did not work." error={error} />}
      {tasks === null && !error && <p className="quiet">Loading…</p>}
      {tasks?.length === 0 && <p className="quiet empty">Nothing to do. Enjoy the day.</p>}
      <ul className="card">
        {tasks?.map((task) => (
          <li key={task.id} className={task.is_done ? "done" : ""}>
            <button
              type="button"
              className="tick"
              aria-label={`Finish ${task.title}`}
              disabled={task.is_done}
              onClick={() => api.finishTask(task.id).then(load).catch(setError)}
            >
              {task.is_done ? "✓" : ""}
            </button>
            <span>{task.title}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
