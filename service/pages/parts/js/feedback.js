const JUDGED = {
  fraud: { fraud: "a fraud that was found", legitimate: "a false alarm" },
  legitimate: { fraud: "a fraud that was missed", legitimate: "rightly let through" },
};

const labelButtons = () => [...get("labels").querySelectorAll("button")];

function offerLabels(answer) {
  get("counted").textContent = "";
  for (const button of labelButtons()) {
    button.disabled = false;
    button.onclick = () => sendLabel(answer, button.dataset.label);
  }
}

async function sendLabel(answer, label) {
  try {
    await call("/feedback", { receipt: answer.receipt, label });
    get("counted").textContent = `Counted once: ${JUDGED[answer.prediction][label]}.`;
    labelButtons().forEach((button) => (button.disabled = true));
  } catch (error) {
    get("counted").textContent = `Not counted: ${error.message}`;
    if (error.status === 401) askForToken(error, () => sendLabel(answer, label));
    // What was counted before is not counted again.
    if (error.status === 409 || error.status === 410) labelButtons().forEach((button) => (button.disabled = true));
  }
}
