"""The workbench of `kg serve`: pages for people around the endpoint and the evaluation of patients.

`bench` the frame of every page and the saved questions; `site` what is made once at the start; `desk` what a worker answers
about a pasted patient, which it forgets; `routes` the HTTP surface; `policy` what a browser may load. Needs the extra `html`."""
