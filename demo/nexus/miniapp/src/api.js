// Calls to nexus-api. Its address comes from /config.js at run time, so one build serves every environment.

export function createApi(base, initData) {
  async function call(path, options = {}) {
    const headers = { Accept: "application/json" };
    if (initData) headers.Authorization = `tma ${initData}`;
    if (options.body) headers["Content-Type"] = "application/json";
    const response = await fetch(`${base}${path}`, { ...options, headers, signal: AbortSignal.timeout(8000) }).catch(
      () => {
        throw new Error("Nexus does not answer. Try again in a minute.");
      },
    );
    if (response.status === 401) throw new Error("This login is too old. Close the app and open it again.");
    if (!response.ok) throw new Error(`Nexus answered with an error (${response.status}).`);
    return response.json();
  }
  return {
    me: () => call("/me"),
    visit: () => call("/me/visits", { method: "POST" }),
    tasks: () => call("/me/tasks"),
    addTask: (title) => call("/me/tasks", { method: "POST", body: JSON.stringify({ title }) }),
    finishTask: (id) => call(`/me/tasks/${id}`, { method: "PATCH", body: JSON.stringify({ is_done: true }) }),
    stats: () => call("/stats"),
  };
}
