// Compiles SacroiliitisFive.cql to ELM, runs it over patients, prints one JSON line a patient and last the timings, in CPU milliseconds.
// Use: node run.mjs TERMS.json PATIENTS.ndjson, after `npm ci` in this folder.
import { SystemModelInfoProvider } from "@cqframework/cql/cql";
import { CqlTranslator, LibraryManager, ModelManager, createModelInfoProvider, stringAsSource } from "@cqframework/cql/cql-to-elm";
import cql from "cql-execution";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [termsFile, patientsFile] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const DATES = ["dated", "started", "ended", "recorded", "authored"];

function compile() {
  const models = new ModelManager();
  const facts = readFileSync(join(here, "facts-modelinfo.xml"), "utf8");
  models.modelInfoLoader.registerModelInfoProvider(new SystemModelInfoProvider());
  models.modelInfoLoader.registerModelInfoProvider(createModelInfoProvider((name) => (name === "Facts" ? stringAsSource(facts) : null)));
  const translator = CqlTranslator.fromText(readFileSync(join(here, "SacroiliitisFive.cql"), "utf8"), new LibraryManager(models));
  const problems = [...translator.errors.asJsReadonlyArrayView()];
  if (problems.length) {
    for (const problem of problems) console.error(Object.values(problem.locator ?? {}).slice(1).join(":"), problem.message);
    process.exit(1);
  }
  return new cql.Library(JSON.parse(translator.toJson()));
}

/** A fact as the execution engine reads it: codes and dates of its own types. */
class Fact {
  constructor(json) {
    Object.assign(this, json);
    this.about = new cql.Code(json.about, "facts");
    for (const name of DATES) if (json[name]) this[name] = cql.Date.parse(json[name]);
  }
  getCode() {
    return this.about;
  }
}

class Patient {
  constructor(json) {
    this.id = json.id;
    this.asOf = cql.Date.parse(json.asOf);
    this.birthDate = json.birthDate ? cql.Date.parse(json.birthDate) : null;
    this.facts = { Patient: [this] };
    for (const fact of json.facts) (this.facts[fact.kind] ??= []).push(new Fact(fact));
  }
  getId() {
    return this.id;
  }
  findRecords(type) {
    return this.facts[type.replace(/^\{.*\}/, "")] ?? [];
  }
}

/** Patients one after the other, as the executor asks for them. */
class Source {
  constructor(patients) {
    this.rest = [...patients].reverse();
  }
  currentPatient() {
    return this.rest.at(-1);
  }
  nextPatient() {
    this.rest.pop();
    return this.rest.at(-1);
  }
}

/** CPU milliseconds since a reading of process.cpuUsage(). */
function since(reading) {
  const { user, system } = process.cpuUsage(reading);
  return (user + system) / 1000;
}

let reading = process.cpuUsage();
const library = compile();
const compiled = since(reading);
reading = process.cpuUsage();
const terms = JSON.parse(readFileSync(termsFile, "utf8"));
const valueSets = Object.fromEntries(Object.entries(terms.valueSets).map(([name, codes]) => [name, { 1: codes.map((code) => ({ code, system: "facts" })) }]));
const parameters = { Limits: terms.limits, Drugs: terms.drugs, Switches: terms.switches };
const executor = new cql.Executor(library, new cql.CodeService(valueSets), parameters);
const patients = readFileSync(patientsFile, "utf8").split("\n").filter(Boolean).map((line) => new Patient(JSON.parse(line)));
const load = since(reading);
let execute = 0;
for (const patient of patients) {
  reading = process.cpuUsage();
  executor.withParameters({ ...parameters, "As Of": patient.asOf });
  const found = await executor.exec_expression("Results", new Source([patient]));
  const took = since(reading);
  execute += took;
  console.log(JSON.stringify({ patient: patient.id, ...found.patientResults[patient.id].Results, ms: Number(took.toFixed(3)) }));
}
console.log(JSON.stringify({ timing: { patients: patients.length, compile: compiled, load, execute } }));
