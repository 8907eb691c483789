// What the pages do beyond links and forms. Every page works without it.
import { applyWhatIsChosen } from "./filters.js";
import { followThePicture } from "./follow.js";
import { goOnward } from "./onward.js";
import { offerCopies } from "./copy.js";
import { rememberTheList } from "./list.js";
import { takeKeys } from "./keys.js";
import { takePictures } from "./drop.js";
import { takeSwipes } from "./swipe.js";

takePictures();
followThePicture();
applyWhatIsChosen();
rememberTheList();
goOnward();
takeKeys();
takeSwipes();
offerCopies();
